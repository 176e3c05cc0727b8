/** Files of a record in its form: dropped or chosen, sent at once, linked when the form is saved. */
import { ActionIcon, Button, FileButton, Group, Input, Progress, Stack, Text } from '@mantine/core';
import { IconRefresh, IconUpload, IconX } from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api } from '../../app/api';
import { errorText } from '../../ui/errorText';
import type { EditProps, FieldMeta } from '../types';
import { fileName, filesOf, fileSize, patternsOf, refusal, useRules, type FileRecord } from './fileModel';
import { Thumb } from './files';
import classes from './files.module.css';

/** A file on its way. */
interface Sending {
  id: number;
  file: File;
  part: number;
  problem: string | null;
  abort: AbortController;
}

/** Sent at the same time; the others wait. */
const AT_ONCE = 3;

export function FilesInput({ field, value, onChange, label, description, error, required, disabled }: EditProps) {
  const { t, i18n } = useTranslation(['fields', 'ui']);
  const rules = useRules(field.storage);
  const files = filesOf(value);
  const { sending, add, retry, drop } = useUploads(field, (record) => {
    // Several may arrive before the form is shown again.
    latest.current = [...latest.current, record];
    onChange(latest.current);
  });
  const latest = useRef<FileRecord[]>(files);
  latest.current = files;
  const [over, setOver] = useState(false);
  const take = (chosen: readonly File[]) => {
    add(
      chosen.map((file) => {
        const reason = refusal(file, rules);
        return { file, problem: reason && t(reason, { size: fileSize(rules?.size ?? 0, i18n.language), kinds: rules ? patternsOf(rules).join(', ') : '' }) };
      }),
    );
  };
  const limits = rules && [rules.size ? t('files.limit', { size: fileSize(rules.size, i18n.language) }) : '', patternsOf(rules).join(', ')].filter(Boolean).join(' · ');
  return (
    <Input.Wrapper label={label} description={description} error={error} required={required} labelElement="div" role="group" aria-label={typeof label === 'string' ? label : undefined}>
      <Stack gap="xs" mt={4}>
        {files.map((file) => (
          <div key={file.id} className={classes.row}>
            <Thumb file={file} size={36} />
            <span className={classes.text}>
              <span className={classes.line}>{fileName(file)}</span>
              <span className={classes.facts}>{fileSize(file.size ?? 0, i18n.language)}</span>
            </span>
            <ActionIcon variant="subtle" color="gray" size={36} disabled={disabled} aria-label={t('files.remove', { name: fileName(file) })} onClick={() => onChange(files.filter((other) => other.id !== file.id))}>
              <IconX size={18} />
            </ActionIcon>
          </div>
        ))}
        {sending.map((each) => (
          <SendingRow key={each.id} sending={each} onRetry={() => retry(each.id)} onDrop={() => drop(each.id)} />
        ))}
        <div
          className={classes.drop}
          data-over={over || undefined}
          onDragOver={(event) => {
            event.preventDefault();
            setOver(true);
          }}
          onDragLeave={() => setOver(false)}
          onDrop={(event) => {
            event.preventDefault();
            setOver(false);
            if (!disabled) take([...event.dataTransfer.files]);
          }}
        >
          <FileButton onChange={take} multiple accept={rules ? patternsOf(rules).join(',') || undefined : undefined} disabled={disabled}>
            {(props) => (
              <Button {...props} variant="light" size="compact-md" leftSection={<IconUpload size={16} aria-hidden />}>
                {t('files.choose')}
              </Button>
            )}
          </FileButton>
          <Text size="sm" c="dimmed">
            {t('files.drop')}
            {limits ? ` · ${limits}` : ''}
          </Text>
        </div>
      </Stack>
    </Input.Wrapper>
  );
}

function SendingRow({ sending, onRetry, onDrop }: { sending: Sending; onRetry: () => void; onDrop: () => void }) {
  const { t } = useTranslation('fields');
  const { file, part, problem } = sending;
  return (
    <div className={classes.row} role={problem ? 'alert' : undefined}>
      <span className={classes.text}>
        <span className={classes.line}>{file.name}</span>
        {problem ? (
          <Text size="xs" c="red" component="span">
            {problem}
          </Text>
        ) : (
          <Progress value={part * 100} size="sm" aria-label={t('files.sending', { name: file.name })} />
        )}
      </span>
      <Group gap={0} wrap="nowrap">
        {problem && (
          <ActionIcon variant="subtle" color="gray" size={36} aria-label={t('files.retry', { name: file.name })} onClick={onRetry}>
            <IconRefresh size={18} />
          </ActionIcon>
        )}
        <ActionIcon variant="subtle" color="gray" size={36} aria-label={t('files.cancel', { name: file.name })} onClick={onDrop}>
          <IconX size={18} />
        </ActionIcon>
      </Group>
    </div>
  );
}

/** The files on their way; what has arrived is given to `onRecord`. */
function useUploads(field: FieldMeta, onRecord: (record: FileRecord) => void) {
  const { t } = useTranslation('ui');
  const [sending, setSending] = useState<Sending[]>([]);
  const number = useRef(0);
  // Whatever was begun is not begun again, also while the list still shows it.
  const begun = useRef(new Set<number>());
  const active = useRef(0);
  const all = useRef<Sending[]>([]);
  all.current = sending;
  const change = (id: number, values: Partial<Sending>) => setSending((old) => old.map((each) => (each.id === id ? { ...each, ...values } : each)));
  const forget = (id: number) => setSending((old) => old.filter((each) => each.id !== id));
  const send = async ({ id, file, abort }: Sending) => {
    const form = new FormData();
    form.append('file', file, file.name);
    try {
      const record = await api.upload<FileRecord>('attachments:create', form, {
        params: { attachmentField: typeof field.collectionName === 'string' ? `${field.collectionName}.${field.name}` : undefined },
        signal: abort.signal,
        onProgress: (part) => change(id, { part }),
      });
      onRecord(record);
      forget(id);
    } catch (problem) {
      if (!abort.signal.aborted) change(id, { problem: errorText(problem as Error, t), part: 0 });
    } finally {
      active.current -= 1;
    }
  };
  useEffect(() => {
    for (const each of sending) {
      if (each.problem !== null || begun.current.has(each.id) || active.current >= AT_ONCE) continue;
      begun.current.add(each.id);
      active.current += 1;
      void send(each);
    }
  });
  // A form that is closed sends nothing more.
  useEffect(() => () => all.current.forEach(({ abort }) => abort.abort()), []);
  return {
    sending,
    add: (chosen: { file: File; problem: string | null }[]) =>
      setSending((old) => [...old, ...chosen.map((each) => ({ ...each, id: ++number.current, part: 0, abort: new AbortController() }))]),
    retry: (id: number) => {
      begun.current.delete(id);
      change(id, { problem: null, abort: new AbortController() });
    },
    drop: (id: number) => {
      all.current.find((each) => each.id === id)?.abort.abort();
      forget(id);
    },
  };
}
