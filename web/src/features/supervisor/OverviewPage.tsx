import { Anchor, Group, SimpleGrid, Skeleton, Stack, Table, Text } from '@mantine/core';
import { IconAlertTriangle, IconCircleCheck, IconRefresh, IconServerOff } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';

import { ErrorState } from '../../ui/ErrorState';
import { PageHeader } from '../../ui/PageHeader';
import { AppStatusChip } from './AppStatusChip';
import { APP_TONES, type AppRow, type EnvironmentRow, titleOf } from './model';
import { type Attention, appsByStatus, attention, busiest } from './overview';
import classes from './OverviewPage.module.css';
import { Panel } from './Panel';
import { useApps, useEnvironments } from './queries';
import { SupervisorTabs } from './SupervisorTabs';
import { trafficTexts } from './traffic';
import { Cpu, Memory } from './Usage';

const TOP = 5;

/** How everything is doing, and what needs a person. */
export function OverviewPage() {
  const { t } = useTranslation('supervisor');
  const apps = useApps();
  const environments = useEnvironments();
  const error = apps.error ?? environments.error;
  return (
    <>
      <SupervisorTabs active="overview" />
      <PageHeader title={t('tabs.overview')} />
      {error && <ErrorState error={error} onRetry={() => void Promise.all([apps.refetch(), environments.refetch()])} />}
      {!error && !(apps.data && environments.data) && <Skeleton height={320} />}
      {apps.data && environments.data && <Overview apps={apps.data} environments={environments.data} />}
    </>
  );
}

interface Props {
  apps: AppRow[];
  environments: EnvironmentRow[];
}

function Overview({ apps, environments }: Props) {
  const { t, i18n } = useTranslation('supervisor');
  const number = new Intl.NumberFormat(i18n.language);
  const online = environments.filter(({ status }) => status === 'online').length;
  const requests = apps.reduce((sum, { traffic }) => sum + (traffic?.requests ?? 0), 0);
  const errors = apps.reduce((sum, { traffic }) => sum + (traffic?.errors ?? 0), 0);
  const tiles = [
    ['environments', `${number.format(online)} / ${number.format(environments.length)}`],
    ['requests', number.format(requests)],
    ['errors', number.format(errors)],
  ] as const;
  return (
    <Stack gap="md">
      <SimpleGrid cols={{ base: 1, xs: 2, lg: 4 }}>
        <Panel title={t('tabs.apps')}>
          <States apps={apps} />
        </Panel>
        {tiles.map(([key, value]) => (
          <Panel key={key} title={t(`overview.${key}`)}>
            <div className={classes.figure}>{value}</div>
          </Panel>
        ))}
      </SimpleGrid>
      <Panel title={t('overview.attention')}>
        <NeedsAttention found={attention(apps, environments)} />
      </Panel>
      <SimpleGrid cols={{ base: 1, md: 2 }}>
        <Panel title={t('overview.busiest')}>
          <Busiest apps={busiest(apps, TOP)} />
        </Panel>
        <Panel title={t('overview.usage')}>
          <UsageTable environments={environments} />
        </Panel>
      </SimpleGrid>
    </Stack>
  );
}

/** A bar of all states, and a link to the apps in each. */
function States({ apps }: { apps: AppRow[] }) {
  const { t } = useTranslation('supervisor');
  const states = appsByStatus(apps);
  if (states.length === 0) return <Text size="sm" c="dimmed">{t('overview.noApps')}</Text>;
  return (
    <Stack gap="xs">
      <div className={classes.bar} aria-hidden>
        {states.map(([status, count]) => (
          <span key={status} className={classes.part} data-tone={APP_TONES[status]} style={{ flexGrow: count }} />
        ))}
      </div>
      <Group gap="xs">
        {states.map(([status, count]) => (
          <Anchor key={status} component={Link} size="sm" to="/admin/settings/supervisor/apps" search={{ status } as never}>
            {t('overview.count', { count, status: t(`status.${status}`) })}
          </Anchor>
        ))}
      </Group>
    </Stack>
  );
}

const ICONS = { error: IconAlertTriangle, lost: IconServerOff, environment: IconServerOff, restart: IconRefresh };

function NeedsAttention({ found }: { found: Attention[] }) {
  const { t } = useTranslation('supervisor');
  if (found.length === 0) {
    return (
      <Group gap="xs">
        <IconCircleCheck size={18} color="var(--state-good-text)" aria-hidden />
        <Text size="sm">{t('overview.nothing')}</Text>
      </Group>
    );
  }
  return (
    <Table verticalSpacing="xs">
      <Table.Tbody>
        {found.map(({ key, kind, name, app, message }) => {
          const Icon = ICONS[kind];
          return (
            <Table.Tr key={key}>
              <Table.Td>
                <Group gap="xs" wrap="nowrap" align="flex-start">
                  <Icon size={18} className={classes.sign} color={`var(--state-${kind === 'error' ? 'bad' : 'warn'}-text)`} aria-hidden />
                  <div>
                    <Text size="sm" fw={600}>
                      {t(`overview.${kind}`, { name: app ? titleOf(app) : name, environment: name })}
                    </Text>
                    {message && <Text size="sm">{message}</Text>}
                  </div>
                </Group>
              </Table.Td>
              <Table.Td ta="end" className={classes.action}>
                {app ? (
                  <Anchor component={Link} size="sm" to="/admin/settings/supervisor/apps/$name/{-$tab}" params={{ name: app.name } as never}>
                    {t('overview.viewApp', { name: titleOf(app) })}
                  </Anchor>
                ) : (
                  <Anchor component={Link} size="sm" to="/admin/settings/supervisor/environments/$name/{-$tab}" params={{ name } as never}>
                    {t('overview.viewEnvironment', { name })}
                  </Anchor>
                )}
              </Table.Td>
            </Table.Tr>
          );
        })}
      </Table.Tbody>
    </Table>
  );
}

function Busiest({ apps }: { apps: AppRow[] }) {
  const { t, i18n } = useTranslation('supervisor');
  if (apps.length === 0) return <Text size="sm" c="dimmed">{t('traffic.none')}</Text>;
  return (
    <Table verticalSpacing="xs">
      <Table.Thead>
        <Table.Tr>
          <Table.Th>{t('columns.application')}</Table.Th>
          <Table.Th ta="end">{t('overview.requestsColumn')}</Table.Th>
          <Table.Th ta="end">{t('traffic.errorRate')}</Table.Th>
          <Table.Th ta="end">{t('traffic.p95')}</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {apps.map((app) => {
          const texts = app.traffic && trafficTexts(app.traffic, i18n.language);
          return (
            <Table.Tr key={app.name}>
              <Table.Td>
                <Anchor component={Link} size="sm" to="/admin/settings/supervisor/apps/$name/{-$tab}" params={{ name: app.name, tab: 'metrics' } as never}>
                  {titleOf(app)}
                </Anchor>{' '}
                {app.status !== 'running' && <AppStatusChip status={app.status} />}
              </Table.Td>
              <Table.Td ta="end">{texts?.requests}</Table.Td>
              <Table.Td ta="end">{texts?.errorRate}</Table.Td>
              <Table.Td ta="end">{texts?.p95}</Table.Td>
            </Table.Tr>
          );
        })}
      </Table.Tbody>
    </Table>
  );
}

function UsageTable({ environments }: { environments: EnvironmentRow[] }) {
  const { t } = useTranslation('supervisor');
  return (
    <Table verticalSpacing="xs">
      <Table.Thead>
        <Table.Tr>
          <Table.Th>{t('runtime.environment')}</Table.Th>
          <Table.Th>{t('environments.cpu')}</Table.Th>
          <Table.Th>{t('environments.memory')}</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {environments.map((environment) => (
          <Table.Tr key={environment.name}>
            <Table.Td>{environment.name}</Table.Td>
            <Table.Td>
              <Cpu environment={environment} />
            </Table.Td>
            <Table.Td>
              <Memory environment={environment} />
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
