import { Alert, Anchor, Code, SimpleGrid, Skeleton, Stack, Table, Tabs, Text } from '@mantine/core';
import { IconArrowLeft } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { ConfirmButton } from '../../ui/ConfirmButton';
import { EmptyState } from '../../ui/EmptyState';
import { ErrorState } from '../../ui/ErrorState';
import { PageHeader } from '../../ui/PageHeader';
import { RelativeTime } from '../../ui/RelativeTime';
import { StatusChip } from '../../ui/StatusChip';
import { toast } from '../../ui/toasts';
import { AddressTest } from './AddressTest';
import { AppStatusChip } from './AppStatusChip';
import { BeatStrip } from './BeatStrip';
import { DrainButton } from './DrainButton';
import { ENVIRONMENT_TABS, type EnvironmentTab } from './detailTabs';
import { EnvironmentStatus } from './EnvironmentStatus';
import { Facts } from '../../ui/Facts';
import { LogsView } from './logs/LogsView';
import { type EnvironmentInstance, type EnvironmentRow, titleOf } from './model';
import { MetricsView } from './metrics/MetricsView';
import { Panel } from './Panel';
import { RecentCommands } from './RecentCommands';
import { environmentQuery, forgetEnvironment, useApps } from './queries';
import { Cpu, Memory } from './Usage';
import { EnvironmentVersion } from './VersionText';

const POLL_MS = 15_000;
const FROM = '/admin/settings/supervisor/environments/$name/{-$tab}';

/** One environment: its health and the apps placed in it. */
export function EnvironmentPage() {
  const { t } = useTranslation('supervisor');
  const { name, tab } = useParams({ from: FROM });
  const { data, error, isPending, refetch } = useQuery({ ...environmentQuery(name), refetchInterval: POLL_MS });
  return (
    <>
      <Anchor component={Link} to="/admin/settings/supervisor/environments" size="sm" mb="xs" display="inline-flex">
        <IconArrowLeft size={16} aria-hidden /> {t('environments.title')}
      </Anchor>
      {error && <ErrorState error={error} onRetry={() => void refetch()} />}
      {isPending && !error && <Skeleton height={240} />}
      {data === null && <EmptyState>{t('environments.gone', { name })}</EmptyState>}
      {data && <Detail environment={data} tab={tab ?? 'overview'} />}
    </>
  );
}

function Detail({ environment, tab }: { environment: EnvironmentRow; tab: EnvironmentTab }) {
  const { t } = useTranslation('supervisor');
  const navigate = useNavigate({ from: FROM });
  const { name } = environment;
  const choose = (value: string | null) => {
    const next = value === 'overview' ? undefined : (value as EnvironmentTab);
    void navigate({ params: { name, tab: next } as never });
  };
  return (
    <>
      <PageHeader
        title={name}
        description={<EnvironmentStatus environment={environment} />}
        actions={
          <>
            <DrainButton environment={environment} />
            {environment.status === 'offline' && <Forget environment={environment} />}
          </>
        }
      />
      <Tabs value={tab} onChange={choose} keepMounted={false}>
        <Tabs.List aria-label={name} mb="md">
          {ENVIRONMENT_TABS.map((key) => (
            <Tabs.Tab key={key} value={key}>
              {t(`detail.${key}`)}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="overview">
          <Overview environment={environment} />
        </Tabs.Panel>
        <Tabs.Panel value="logs">
          <LogsView scope={{ environment: name }} />
        </Tabs.Panel>
        <Tabs.Panel value="metrics">
          <MetricsView scope={{ environment: name }} />
        </Tabs.Panel>
      </Tabs>
    </>
  );
}

function Overview({ environment }: { environment: EnvironmentRow }) {
  const { t, i18n } = useTranslation('supervisor');
  const { memory, cpu, lagSeconds } = environment;
  const seconds = new Intl.NumberFormat(i18n.language, { style: 'unit', unit: 'second', maximumFractionDigits: 2 });
  const facts: [string, ReactNode][] = [
    [t('runtime.heartbeat'), environment.lastHeartbeatAt ? <RelativeTime key="beat" value={environment.lastHeartbeatAt} everyMs={1_000} /> : '–'],
    [t('environments.history'), environment.beats?.length ? <BeatStrip key="beats" beats={environment.beats} /> : null],
    [t('columns.version'), <EnvironmentVersion key="version" environment={environment} />],
    [t('environments.url'), environment.url ? <AddressTest key="url" environment={environment.name} kind="url" address={environment.url} /> : '–'],
    [t('environments.proxyUrl'), environment.proxyUrl ? <AddressTest key="proxyUrl" environment={environment.name} kind="proxyUrl" address={environment.proxyUrl} /> : '–'],
    [t('environments.cpu'), typeof cpu === 'number' ? <Cpu key="cpu" environment={environment} /> : null],
    [t('environments.memory'), typeof memory === 'number' ? <Memory key="memory" environment={environment} /> : null],
    [t('environments.lag'), typeof lagSeconds === 'number' ? seconds.format(lagSeconds) : null],
  ];
  // What this server does not measure is left out rather than shown as a dash.
  const known = facts.filter(([, value]) => value !== null);
  return (
    <Stack gap="md">
      {environment.reason && (
        <Alert color="yellow" variant="light" title={environment.reason.message}>
          {environment.reason.remedy && <Text size="sm">{environment.reason.remedy}</Text>}
          <Code>{environment.reason.code}</Code>
        </Alert>
      )}
      <SimpleGrid cols={{ base: 1, md: 2 }}>
        <Panel title={t('detail.facts')}>
          <Facts facts={known} />
        </Panel>
        <Panel title={t('environments.apps')}>
          <AppsHere name={environment.name} />
        </Panel>
      </SimpleGrid>
      <RecentCommands environment={environment.name} />
      {environment.instances && environment.instances.length > 0 && (
        <Panel title={t('environments.processes')}>
          <Processes instances={environment.instances} />
        </Panel>
      )}
    </Stack>
  );
}

/** Only for one that is gone: a live environment would be back at once. */
function Forget({ environment }: { environment: EnvironmentRow }) {
  const { t } = useTranslation('supervisor');
  const client = useQueryClient();
  const navigate = useNavigate();
  const { name } = environment;
  const remove = async () => {
    await forgetEnvironment(client, name);
    toast.success(t('environments.removed', { name }));
    await navigate({ to: '/admin/settings/supervisor/environments' });
  };
  return (
    <ConfirmButton
      variant="default"
      question={t('environments.removeQuestion', { name })}
      consequences={t('environments.removeConsequence', { count: environment.apps?.total ?? 0 })}
      verb={t('environments.remove')}
      danger
      onConfirm={remove}
    >
      {t('environments.remove')}
    </ConfirmButton>
  );
}

function Processes({ instances }: { instances: EnvironmentInstance[] }) {
  const { t } = useTranslation('supervisor');
  return (
    <Table.ScrollContainer minWidth={560} scrollAreaProps={{ viewportProps: { tabIndex: 0, 'aria-label': t('environments.processes') } }}>
      <Table verticalSpacing="xs">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t('runtime.instance')}</Table.Th>
            <Table.Th>{t('columns.status')}</Table.Th>
            <Table.Th>{t('environments.host')}</Table.Th>
            <Table.Th>{t('columns.version')}</Table.Th>
            <Table.Th>{t('runtime.since')}</Table.Th>
            <Table.Th>{t('environments.lastSeen')}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {instances.map((row) => (
            <Table.Tr key={row.instance}>
              <Table.Td>
                <Text size="xs" ff="monospace">
                  {row.instance}
                </Text>
              </Table.Td>
              <Table.Td>
                <StatusChip tone={row.alive ? 'good' : 'idle'}>
                  {t(`environmentStatus.${row.alive ? 'online' : 'offline'}`)}
                </StatusChip>
              </Table.Td>
              <Table.Td>{[row.host, row.pid].filter(Boolean).join(' · ')}</Table.Td>
              <Table.Td>{row.version}</Table.Td>
              <Table.Td>{row.since && <RelativeTime value={row.since} />}</Table.Td>
              <Table.Td>{row.lastSeenAt && <RelativeTime value={row.lastSeenAt} everyMs={1_000} />}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function AppsHere({ name }: { name: string }) {
  const { t } = useTranslation('supervisor');
  const apps = (useApps().data ?? []).filter((app) => app.environments?.includes(name));
  if (apps.length === 0) return <EmptyState>{t('environments.noApps')}</EmptyState>;
  return (
    <Table verticalSpacing="xs">
      <Table.Thead>
        <Table.Tr>
          <Table.Th>{t('columns.application')}</Table.Th>
          <Table.Th>{t('environments.statusHere')}</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {apps.map((app) => (
          <Table.Tr key={app.name}>
            <Table.Td>
              <Anchor
                component={Link}
                size="sm"
                to="/admin/settings/supervisor/apps/$name/{-$tab}"
                params={{ name: app.name } as never}
              >
                {titleOf(app)}
              </Anchor>
            </Table.Td>
            <Table.Td>
              <AppStatusChip status={app.statuses?.[name] ?? app.status} />
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
