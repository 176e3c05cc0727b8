import { Alert, Group, Radio, ScrollArea, Stack, Table, Text, Tooltip } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import type { CollectionMeta } from '../data/model';
import { isUnfinished, type Task } from '../tasks/model';
import { TaskProgress } from '../tasks/TaskProgress';
import { rootOf } from './format';
import type { ImportDraft } from './importDraft';
import classes from './transfer.module.css';

interface PreviewRow {
  row: number;
  cells: string[];
  problems: Record<string, string>;
  reason: string | null;
}

interface Props {
  collection: CollectionMeta;
  draft: ImportDraft;
  task: Task | undefined;
  onDraft: (draft: ImportDraft) => void;
}

/** What the import would do: counts, the first rows with what is wrong in their cells, and what to do about it. */
export function CheckStep({ draft, task, onDraft }: Props) {
  const { t, i18n } = useTranslation('transfer');
  if (!task || isUnfinished(task)) {
    return (
      <div>
        <Text size="sm">{t('check.running')}</Text>
        {task && <TaskProgress task={task} />}
      </div>
    );
  }
  const result = task.result ?? {};
  if (task.status !== 1) {
    return (
      <Alert color="red" icon={<IconAlertTriangle size={18} aria-hidden />} title={t('check.failed')}>
        {result.message}
      </Alert>
    );
  }
  const number = new Intl.NumberFormat(i18n.language);
  const of = (name: string) => Number(result[name] ?? 0);
  const preview = (result.preview ?? []) as PreviewRow[];
  const problems = (result.problems ?? []) as { row: number; reason: string }[];
  const shown = draft.inspection.titles.map((title, index) => ({ title, index, field: draft.fields[index] })).filter((column) => column.field != null);
  return (
    <Stack gap="md">
      <Group gap="lg" role="status">
        <Text fw={600}>{t('check.created', { count: of('created'), shown: number.format(of('created')) })}</Text>
        {of('updated') > 0 && <Text fw={600}>{t('check.updated', { count: of('updated'), shown: number.format(of('updated')) })}</Text>}
        <Text fw={600} c={of('failed') > 0 ? 'var(--mantine-color-error)' : 'dimmed'}>
          {t('check.bad', { count: of('failed'), shown: number.format(of('failed')) })}
        </Text>
      </Group>
      {of('failed') > 0 && (
        <>
          <Radio.Group label={t('check.onError')} value={draft.onError} onChange={(value) => onDraft({ ...draft, onError: value as 'stop' | 'continue' })}>
            <Stack gap={6} mt={6}>
              <Radio value="continue" label={t('check.continue')} />
              <Radio value="stop" label={t('check.stop')} />
            </Stack>
          </Radio.Group>
          <ScrollArea.Autosize mah={130} type="auto" viewportProps={{ tabIndex: 0 }}>
            <ul className={classes.problems}>
              {problems.map((problem) => (
                <li key={problem.row}>{t('check.problem', problem)}</li>
              ))}
              {of('failed') > problems.length && <li>{t('check.more', { count: of('failed') - problems.length })}</li>}
            </ul>
          </ScrollArea.Autosize>
        </>
      )}
      <ScrollArea.Autosize mah={260} type="auto" viewportProps={{ tabIndex: 0, 'aria-label': t('check.preview'), role: 'group' }}>
        <Table withColumnBorders verticalSpacing={4} stickyHeader className={classes.preview} aria-label={t('check.preview')}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t('check.row')}</Table.Th>
              {shown.map((column) => (
                <Table.Th key={column.index}>{column.title}</Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {preview.map((row) => (
              <Table.Tr key={row.row} data-bad={row.reason !== null || undefined}>
                <Table.Td>
                  {row.reason === null ? row.row : <Tooltip label={row.reason}><span>{row.row} <IconAlertTriangle size={14} aria-label={row.reason} /></span></Tooltip>}
                </Table.Td>
                {shown.map((column) => {
                  const wrong = row.problems[rootOf(column.field ?? '')];
                  return (
                    <Table.Td key={column.index} data-wrong={wrong !== undefined || undefined} title={wrong}>
                      {row.cells[column.index]}
                    </Table.Td>
                  );
                })}
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </ScrollArea.Autosize>
    </Stack>
  );
}
