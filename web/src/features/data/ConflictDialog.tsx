import { Button, Group, List, Modal, Radio, Stack, Text, Title } from '@mantine/core';
import i18next from 'i18next';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { InvalidInput, interfaceOf, type FieldMeta } from '../../fields';
import { fieldTitle } from './model';
import type { FormConflict } from './useRecordForm';
import { whoChanged } from './whoChanged';

interface Props {
  conflict: FormConflict;
  /** What the button does with the decision: "Save". */
  verb: string;
  /** Gets the names of the fields whose input here is given up. */
  onMerge: (yielded: ReadonlySet<string>) => Promise<unknown>;
  /** Back to the form; nothing is decided. */
  onClose: () => void;
}

/** Somebody else has changed the record of a form: field by field, whose value stays. */
export function ConflictDialog({ conflict, verb, onMerge, onClose }: Props) {
  const { t } = useTranslation(['data', 'ui']);
  const [yielded, setYielded] = useState<ReadonlySet<string>>(new Set());
  const [busy, setBusy] = useState(false);
  const { name, when } = whoChanged(conflict.record);
  const contested = conflict.changes.filter(({ isContested }) => isContested);
  const others = conflict.changes.filter(({ isContested }) => !isContested);
  const choose = (field: string, theirs: boolean) =>
    setYielded((old) => new Set(theirs ? [...old, field] : [...old].filter((each) => each !== field)));
  const merge = async () => {
    setBusy(true);
    try {
      await onMerge(yielded);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Modal opened onClose={onClose} title={t('conflict.title', { name })} size="lg" closeOnEscape={!busy}>
      <Stack gap="md">
        <Text size="sm">{when ? t('conflict.intro', { when }) : t('conflict.introNow')}</Text>
        {contested.map(({ field, mine, theirs }) => (
          <Radio.Group
            key={field.name}
            label={fieldTitle(field)}
            aria-label={t('conflict.which', { title: fieldTitle(field) })}
            value={yielded.has(field.name) ? 'theirs' : 'mine'}
            onChange={(side) => choose(field.name, side === 'theirs')}
          >
            <Stack gap="xs" mt={6}>
              <Side value="mine" label={t('conflict.mine')} text={textOf(field, mine)} />
              <Side value="theirs" label={t('conflict.theirs')} text={textOf(field, theirs)} />
            </Stack>
          </Radio.Group>
        ))}
        {others.length > 0 && (
          <section>
            <Title order={3} size="h6" mb={4}>
              {t('conflict.also')}
            </Title>
            <List size="sm">
              {others.map(({ field, before, theirs }) => (
                <List.Item key={field.name} style={{ overflowWrap: 'anywhere' }}>
                  {t('conflict.change', { title: fieldTitle(field), before: textOf(field, before), after: textOf(field, theirs) })}
                </List.Item>
              ))}
            </List>
          </section>
        )}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose} disabled={busy}>
            {t('cancel', { ns: 'ui' })}
          </Button>
          <Button loading={busy} onClick={() => void merge()} data-autofocus>
            {verb}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

function Side({ value, label, text }: { value: 'mine' | 'theirs'; label: string; text: string }) {
  return <Radio value={value} label={label} description={text} styles={{ description: { overflowWrap: 'anywhere', whiteSpace: 'pre-line' } }} />;
}

function textOf(field: FieldMeta, value: unknown): string {
  const text = value instanceof InvalidInput ? value.text : interfaceOf(field).text(value, field, i18next.language);
  return text || i18next.t('conflict.nothing', { ns: 'data' });
}
