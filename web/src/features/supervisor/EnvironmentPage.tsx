import { Anchor, SimpleGrid, Skeleton, Stack, Table } from '@mantine/core';
import { IconArrowLeft } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { EmptyState } from '../../ui/EmptyState';
import { ErrorState } from '../../ui/ErrorState';
import { PageHeader } from '../../ui/PageHeader';
import { RelativeTime } from '../../ui/RelativeTime';
import { AppStatusChip } from './AppStatusChip';
import { BeatStrip } from './BeatStrip';
import { EnvironmentStatus } from './EnvironmentStatus';
import { Facts } from './Facts';
import { bytes, percent } from './format';
import { type EnvironmentRow, titleOf } from './model';
import { Panel } from './Panel';
import { environmentQuery, useApps } from './queries';

const POLL_MS = 15_000;

/** One environment: its health and the apps placed in it. */
export function EnvironmentPage() {
  const { t } = useTranslation('supervisor');
  const { name } = useParams({ from: '/admin/settings/supervisor/environments/$name' });
  const { data, error, isPending, refetch } = useQuery({ ...environmentQuery(name), refetchInterval: POLL_MS });
  return (
    <>
      <Anchor component={Link} to="/admin/settings/supervisor/environments" size="sm" mb="xs" display="inline-flex">
        <IconArrowLeft size={16} aria-hidden /> {t('environments.title')}
      </Anchor>
      {error && <ErrorState error={error} onRetry={() => void refetch()} />}
      {isPending && !error && <Skeleton height={240} />}
      {data === null && <EmptyState>{t('environments.gone', { name })}</EmptyState>}
      {data && <Detail environment={data} />}
    </>
  );
}

function Detail({ environment }: { environment: EnvironmentRow }) {
  const { t, i18n } = useTranslation('supervisor');
  const { memory, cpu, lagSeconds } = environment;
  const seconds = new Intl.NumberFormat(i18n.language, { style: 'unit', unit: 'second', maximumFractionDigits: 2 });
  const facts: [string, ReactNode][] = [
    [t('runtime.heartbeat'), environment.lastHeartbeatAt ? <RelativeTime key="beat" value={environment.lastHeartbeatAt} everyMs={1_000} /> : '–'],
    [t('environments.history'), environment.beats?.length ? <BeatStrip key="beats" beats={environment.beats} /> : '–'],
    [t('columns.version'), environment.appVersion ?? '–'],
    [t('environments.url'), environment.url || '–'],
    [t('environments.proxyUrl'), environment.proxyUrl || '–'],
    [t('environments.cpu'), typeof cpu === 'number' ? percent(cpu, i18n.language) : '–'],
    [t('environments.memory'), typeof memory === 'number' ? bytes(memory, i18n.language) : '–'],
    [t('environments.lag'), typeof lagSeconds === 'number' ? seconds.format(lagSeconds) : '–'],
  ];
  return (
    <Stack gap="md">
      <PageHeader title={environment.name} description={<EnvironmentStatus environment={environment} />} />
      <SimpleGrid cols={{ base: 1, md: 2 }}>
        <Panel title={t('detail.facts')}>
          <Facts facts={facts} />
        </Panel>
        <Panel title={t('environments.apps')}>
          <AppsHere name={environment.name} />
        </Panel>
      </SimpleGrid>
    </Stack>
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
