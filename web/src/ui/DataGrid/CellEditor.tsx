import { Button, Group, Popover, Stack, Text } from '@mantine/core';
import { useEffect, useRef, useState, type KeyboardEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { InvalidInput } from '../../fields/types';
import { copyText } from './clipboard';
import classes from './DataGrid.module.css';
import type { GridCellEdit, GridColumn } from './types';
import type { EditorExit } from './useCellEditor';

interface Props<Row> {
  column: GridColumn<Row>;
  edit: GridCellEdit<Row>;
  row: Row;
  /** What could not be saved, to go on from. */
  failed: unknown;
  typed: string | null;
  onFinish: (value: unknown, exit: EditorExit) => void;
}

/** The input that takes the place of a cell. */
export function CellEditor<Row>(props: Props<Row>) {
  switch (props.edit.look) {
    case 'box':
      return <BoxEditor {...props} />;
    case 'choice':
      return <ChoiceEditor {...props} />;
    default:
      return <LineEditor {...props} />;
  }
}

/** Keys that end an editor; `undefined` for all others. */
function exitOf(event: KeyboardEvent): EditorExit | undefined {
  if (event.key === 'Tab') return event.shiftKey ? 'previous' : 'next';
  return event.key === 'Enter' ? 'stay' : undefined;
}

/** One line: Enter and Tab save, Escape gives up, leaving saves. */
function LineEditor<Row>({ column, edit, row, failed, typed, onFinish }: Props<Row>) {
  const input = useRef<HTMLInputElement>(null);
  const isDate = edit.inputType === 'date' || edit.inputType === 'datetime-local';
  const before = failed instanceof InvalidInput ? failed.text : copyText(column, failed === undefined ? row : edit.apply(row, failed));
  const [text, setText] = useState(typed ?? (edit.inputType === 'datetime-local' ? before.replace(' ', 'T') : before));
  const [start] = useState(text);
  const [problem, setProblem] = useState<string | null>(null);
  const done = useRef(false);
  useEffect(() => {
    input.current?.focus();
    if (typed === null && !isDate) input.current?.select();
  }, [typed, isDate]);

  const finish = (exit: EditorExit) => {
    if (done.current) return;
    // A date that is only half filled in has no text at all.
    const isHalf = input.current?.validity.badInput === true;
    const isSame = !isHalf && text === start && typed === null && failed === undefined;
    const value = isSame ? undefined : isHalf ? new InvalidInput(text) : edit.parse(text);
    const wrong = value === undefined ? null : edit.check(value);
    if (wrong !== null && exit !== 'left') {
      setProblem(wrong);
      return;
    }
    done.current = true;
    onFinish(value, exit);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return;
    event.stopPropagation();
    const exit = exitOf(event);
    if (exit) {
      event.preventDefault();
      finish(exit);
    } else if (event.key === 'Escape') {
      event.preventDefault();
      done.current = true;
      onFinish(undefined, 'stay');
    }
  };
  return (
    <Popover opened={problem !== null} position="bottom-start" withinPortal shadow="md" withRoles={false}>
      <Popover.Target>
        <input
          ref={input}
          className={classes.lineEditor}
          type={edit.inputType ?? 'text'}
          step={edit.inputType === 'datetime-local' ? 1 : undefined}
          aria-label={column.title}
          aria-invalid={problem !== null || undefined}
          value={text}
          onChange={(event) => {
            setText(event.currentTarget.value);
            setProblem(null);
          }}
          onKeyDown={onKeyDown}
          onBlur={() => finish('left')}
        />
      </Popover.Target>
      <Popover.Dropdown p="xs">
        <Text size="sm" role="alert" c="var(--mantine-color-error)">
          {problem}
        </Text>
      </Popover.Dropdown>
    </Popover>
  );
}

/** A list of choices, open from the start; choosing saves. */
function ChoiceEditor<Row>({ column, edit, row, onFinish }: Props<Row>) {
  const box = useRef<HTMLDivElement>(null);
  const done = useRef(false);
  const finish = (value: unknown, exit: EditorExit) => {
    if (done.current) return;
    done.current = true;
    onFinish(value, exit);
  };
  useEffect(() => {
    const input = box.current?.querySelector('input');
    input?.focus();
    input?.click();
  }, []);
  const onKeyDown = (event: KeyboardEvent) => {
    event.stopPropagation();
    const exit = event.key === 'Tab' ? exitOf(event) : event.key === 'Escape' ? 'stay' : undefined;
    if (!exit) return;
    event.preventDefault();
    finish(undefined, exit);
  };
  return (
    <div ref={box} className={classes.choiceEditor} onKeyDown={onKeyDown} onBlur={() => finish(undefined, 'left')}>
      <edit.Input label={column.title} value={edit.value(row)} onChange={(value) => finish(value, 'stay')} />
    </div>
  );
}

/** A panel below the cell for what has no room in a line: Ctrl+Enter and Tab save, Escape gives up, leaving saves. */
function BoxEditor<Row>({ column, edit, row, failed, typed, onFinish }: Props<Row>) {
  const { t } = useTranslation(['grid', 'ui']);
  const [value, setValue] = useState<unknown>(typed !== null ? edit.parse(typed) : failed === undefined ? edit.value(row) : failed);
  const [start] = useState(value);
  const [problem, setProblem] = useState<string | null>(null);
  const box = useRef<HTMLDivElement>(null);
  const done = useRef(false);
  useEffect(() => {
    const input = box.current?.querySelector<HTMLTextAreaElement>('textarea');
    input?.focus();
    input?.setSelectionRange(input.value.length, input.value.length);
  }, []);
  const finish = (exit: EditorExit) => {
    if (done.current) return;
    const isSame = value === start && typed === null && failed === undefined;
    const wrong = isSame ? null : edit.check(value);
    if (wrong !== null && exit !== 'left') {
      setProblem(wrong);
      return;
    }
    done.current = true;
    onFinish(isSame ? undefined : value, exit);
  };
  const cancel = () => {
    done.current = true;
    onFinish(undefined, 'stay');
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return;
    event.stopPropagation();
    const onText = event.target instanceof HTMLTextAreaElement;
    const exit = event.key === 'Tab' ? exitOf(event) : (event.ctrlKey || event.metaKey) && event.key === 'Enter' ? 'stay' : undefined;
    if (event.key === 'Escape') {
      event.preventDefault();
      cancel();
    } else if (exit && onText) {
      event.preventDefault();
      finish(exit);
    }
  };
  return (
    <Popover opened position="bottom-start" withinPortal shadow="md" width={420} trapFocus={false} returnFocus={false} withRoles={false} onDismiss={() => finish('left')}>
      <Popover.Target>
        <span className={classes.content}>{copyText(column, row)}</span>
      </Popover.Target>
      <Popover.Dropdown ref={box} p="sm" role="dialog" aria-label={column.title} onKeyDown={onKeyDown}>
        <Stack gap="xs">
          <edit.Input
            label={column.title}
            value={value}
            onChange={(next) => {
              setValue(next);
              setProblem(null);
            }}
            error={problem ?? undefined}
          />
          <Group justify="space-between" gap="xs">
            <Text size="xs" c="dimmed">
              {t('edits.boxKeys')}
            </Text>
            <Group gap="xs">
              <Button size="xs" variant="default" onClick={cancel}>
                {t('cancel', { ns: 'ui' })}
              </Button>
              <Button size="xs" onClick={() => finish('stay')}>
                {t('save', { ns: 'ui' })}
              </Button>
            </Group>
          </Group>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}
