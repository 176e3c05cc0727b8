import { Alert, Stack, Text } from '@mantine/core';
import { IconAlertTriangle, IconMailOff } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import type { TFunction } from 'i18next';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { boot } from '../../app/boot';
import { DataGrid, useGridState, useLocalPage, type GridColumn } from '../../ui/DataGrid';
import { StatusChip, type Tone } from '../../ui/StatusChip';
import { roughly } from '../tasks/model';
import { DeadLetters } from './DeadLetters';
import { queuesQuery, stateOf, type QueueRow, type QueueState } from './queues';
import type { QueuesSearch } from './routes';
import { WorkTabs } from './WorkTabs';

const TONES: Record<QueueState, Tone> = { served: 'good', unserved: 'bad', absent: 'idle' };

/** The queues of this app: what waits, who does it, and what was given up. */
export function QueuesPage() {
  const { t, i18n } = useTranslation('work');
  const navigate = useNavigate();
  const { channel } = useSearch({ strict: false }) as QueuesSearch;
  const [state, setState] = useGridState('queues');
  const columns = useMemo(() => queueColumns(t, i18n.language), [t, i18n.language]);
  const queues = useQuery(queuesQuery);
  const alarms = queues.data?.filter((row) => stateOf(row) === 'unserved') ?? [];
  const query = useLocalPage(queues, state, columns);
  const show = (next: string | undefined) =>
    void navigate({ to: '.', search: (old: Record<string, unknown>) => ({ ...old, channel: next }), ignoreBlocker: true });
  return (
    <>
      <WorkTabs active="queues" />
      <Stack gap="sm" mb={alarms.length > 0 ? 'md' : 0}>
        {alarms.map((row) => (
          <Alert key={row.channel} color="red" role="alert" icon={<IconAlertTriangle size={18} aria-hidden />} title={t('queues.alarm', { count: row.waiting, channel: row.channel, service: row.serviceKey })}>
            {t('queues.remedy', { service: row.serviceKey })}
          </Alert>
        ))}
      </Stack>
      <DataGrid
        gridKey="queues"
        label={t('queues.title')}
        title={t('queues.title')}
        description={t('queues.description')}
        columns={columns}
        query={query}
        state={state}
        onState={setState}
        rowId={(row) => row.channel}
        rowHref={(row) => `${boot.basePath}/admin/settings/queues?channel=${encodeURIComponent(row.channel)}`}
        onOpen={(row) => show(row.channel)}
        rowActions={(row) => [{ id: 'letters', label: t('queues.open'), icon: <IconMailOff size={16} />, disabled: row.dead === 0, onAction: () => show(row.channel) }]}
        empty={{ text: t('queues.empty') }}
      />
      {channel !== undefined && (
        <DeadLetters channel={channel} total={queues.data?.find((row) => row.channel === channel)?.dead ?? 0} onClose={() => show(undefined)} />
      )}
    </>
  );
}

function queueColumns(t: TFunction<'work'>, language: string): GridColumn<QueueRow>[] {
  const number = new Intl.NumberFormat(language);
  const count = (id: 'waiting' | 'inFlight' | 'delayed' | 'dead' | 'consumers', bad = false): GridColumn<QueueRow> => ({
    id,
    title: t(`queues.columns.${id}`),
    text: (row) => (row[id] === null ? t('queues.unknown') : number.format(row[id])),
    cell: (row) =>
      row[id] === null ? (
        <Text size="sm" c="dimmed" span title={t('queues.unknown')}>
          –
        </Text>
      ) : (
        <Text size="sm" span fw={bad && row[id] > 0 ? 600 : undefined} c={bad && row[id] > 0 ? 'var(--mantine-color-error)' : undefined}>
          {number.format(row[id])}
        </Text>
      ),
    sortValue: (row) => row[id],
    width: 98,
    align: 'end',
    card: 'field',
  });
  return [
    { id: 'channel', title: t('queues.columns.channel'), width: 230, pin: 'left', hideable: false, card: 'title' },
    {
      id: 'state',
      title: t('queues.columns.state'),
      text: (row) => t(`queues.state.${stateOf(row)}`),
      cell: (row) => <StatusChip tone={TONES[stateOf(row)]}>{t(`queues.state.${stateOf(row)}`)}</StatusChip>,
      width: 185,
      card: 'status',
    },
    count('waiting'),
    count('inFlight'),
    count('delayed'),
    count('dead', true),
    count('consumers'),
    {
      id: 'oldestSeconds',
      title: t('queues.columns.oldestSeconds'),
      text: (row) => (row.oldestSeconds === null ? '' : duration(row.oldestSeconds, language)),
      width: 130,
      card: 'none',
    },
    { id: 'serviceKey', title: t('queues.columns.serviceKey'), width: 200, card: 'none' },
  ];
}

function duration(seconds: number, language: string): string {
  const { unit, value } = roughly(seconds);
  return new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'short' }).format(value);
}
