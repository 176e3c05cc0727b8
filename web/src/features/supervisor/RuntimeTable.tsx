import { Anchor, Button, Group, Table, Text, Tooltip } from '@mantine/core';
import { IconPlayerPlay, IconPlayerStop, IconRefresh } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { ConfirmDialog } from '../../ui/ConfirmDialog';
import { EmptyState } from '../../ui/EmptyState';
import { RelativeTime } from '../../ui/RelativeTime';
import { AppStatusChip } from './AppStatusChip';
import { duration } from './format';
import { actionsFor, addressOf, type AppRow, type EnvironmentRow, type InstanceStatus, titleOf } from './model';
import { useEnvironments } from './queries';
import classes from './RuntimeTable.module.css';
import { useCommand } from './StartStop';

/** Each environment of the app: its processes as they report about themselves, and what can be done with it there. */
export function RuntimeTable({ app }: { app: AppRow }) {
  const { t } = useTranslation('supervisor');
  const environments = useEnvironments().data ?? [];
  const places = app.environments ?? [];
  if (places.length === 0) return <EmptyState>{t('runtime.none')}</EmptyState>;
  return (
    <Table.ScrollContainer minWidth={900} scrollAreaProps={{ viewportProps: { tabIndex: 0, 'aria-label': t('detail.runtime') } }}>
      <Table verticalSpacing="sm" className={classes.table}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t('runtime.environment')}</Table.Th>
            <Table.Th>{t('columns.status')}</Table.Th>
            <Table.Th>{t('runtime.instance')}</Table.Th>
            <Table.Th>{t('columns.version')}</Table.Th>
            <Table.Th>{t('runtime.inState')}</Table.Th>
            <Table.Th>{t('runtime.heartbeat')}</Table.Th>
            <Table.Th>{t('columns.commands')}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {places.map((place) => (
            <PlaceRows key={place} app={app} place={place} environment={environments.find(({ name }) => name === place)} />
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

interface PlaceProps {
  app: AppRow;
  place: string;
  environment?: EnvironmentRow;
}

/** One row per process; what concerns the environment as a whole stands in the first. */
function PlaceRows({ app, place, environment }: PlaceProps) {
  const status = app.statuses?.[place] ?? app.status;
  const told = (app.instances ?? []).filter((row) => row.environment === place);
  const rows: InstanceStatus[] = told.length > 0 ? told : [{ environment: place, status }];
  const beat = environment?.lastHeartbeatAt;
  return rows.map((row, index) => (
    <Table.Tr key={row.instance ?? place}>
      {index === 0 && <Table.Td rowSpan={rows.length}>{place}</Table.Td>}
      <Table.Td>
        <AppStatusChip status={told.length > 1 ? row.status : status} />
        <Text size="xs" c="dimmed" maw={260}>
          {row.message || app.reasons?.[place]?.message}
        </Text>
      </Table.Td>
      <Table.Td>
        <Process row={row} environment={environment} />
      </Table.Td>
      <Table.Td>{row.version}</Table.Td>
      <Table.Td>{row.since && <Since value={row.since} />}</Table.Td>
      <Table.Td>{beat && <RelativeTime value={beat} everyMs={1_000} />}</Table.Td>
      {index === 0 && (
        <Table.Td rowSpan={rows.length}>
          <Commands app={app} place={place} />
        </Table.Td>
      )}
    </Table.Tr>
  ));
}

function Process({ row, environment }: { row: InstanceStatus; environment?: EnvironmentRow }) {
  const { t } = useTranslation('supervisor');
  const known = environment?.instances?.find(({ instance }) => instance === row.instance);
  if (!known?.pid) return <Text size="xs" ff="monospace">{row.instance}</Text>;
  return (
    <Tooltip label={row.instance}>
      <Text size="xs" ff="monospace">
        {t('runtime.process', { pid: known.pid, host: known.host })}
      </Text>
    </Tooltip>
  );
}

/** How long the present state has lasted, as an app that runs is said to be up for. */
function Since({ value }: { value: string }) {
  const { i18n } = useTranslation();
  const length = Math.max(0, Date.now() - new Date(value).getTime());
  return (
    <time dateTime={value} title={new Date(value).toLocaleString(i18n.language)}>
      {duration(length, i18n.language)}
    </time>
  );
}

function Commands({ app, place }: { app: AppRow; place: string }) {
  const { t } = useTranslation('supervisor');
  const { send, waiting } = useCommand(app, place);
  const [asking, setAsking] = useState(false);
  const status = app.statuses?.[place] ?? app.status;
  const allowed = actionsFor(status);
  const where = { name: titleOf(app), environment: place };
  const button = { size: 'compact-sm', variant: 'default', loading: waiting } as const;
  return (
    <Group gap={6} wrap="nowrap">
      {allowed.start && (
        <Button {...button} leftSection={<IconPlayerPlay size={14} aria-hidden />} aria-label={t('runtime.startIn', where)} onClick={() => void send('start')}>
          {t('command.start')}
        </Button>
      )}
      {allowed.stop && (
        <Button {...button} leftSection={<IconPlayerStop size={14} aria-hidden />} aria-label={t('runtime.stopIn', where)} onClick={() => setAsking(true)}>
          {t('command.stop')}
        </Button>
      )}
      {status === 'running' && (
        <Button {...button} leftSection={<IconRefresh size={14} aria-hidden />} aria-label={t('runtime.restartIn', where)} onClick={() => void send('restart')}>
          {t('command.restart')}
        </Button>
      )}
      {status === 'running' && !app.cname && (
        <Anchor size="sm" href={`${addressOf(app)}?__env=${encodeURIComponent(place)}`} aria-label={t('runtime.openIn', where)}>
          {t('apps.open')}
        </Anchor>
      )}
      <ConfirmDialog
        opened={asking}
        onClose={() => setAsking(false)}
        question={t('runtime.stopQuestion', where)}
        verb={t('stop.verb')}
        onConfirm={() => send('stop')}
      >
        {(app.environments ?? []).length > 1 ? t('runtime.stopConsequence') : t('stop.consequence')}
      </ConfirmDialog>
    </Group>
  );
}
