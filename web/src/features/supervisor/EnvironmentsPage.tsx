import { Anchor, Group, Text, VisuallyHidden } from '@mantine/core';
import { Link, useNavigate } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';

import { boot } from '../../app/boot';
import { DataGrid, type GridColumn, useGridState, useLocalPage } from '../../ui/DataGrid';
import { RelativeTime } from '../../ui/RelativeTime';
import { AddressTest } from './AddressTest';
import { BeatStrip } from './BeatStrip';
import { EnvironmentStatus } from './EnvironmentStatus';
import { bytes, percent } from './format';
import { AddEnvironment } from './join/AddEnvironment';
import type { EnvironmentRow } from './model';
import { useEnvironments } from './queries';
import { SupervisorTabs } from './SupervisorTabs';
import { Cpu, Memory } from './Usage';
import { EnvironmentVersion } from './VersionText';

/** Where apps can run, and whether those places are alive. */
export function EnvironmentsPage() {
  const { t } = useTranslation('supervisor');
  const navigate = useNavigate();
  const [state, setState] = useGridState('environments');
  const columns = useColumns();
  const query = useLocalPage(useEnvironments(), state, columns);
  return (
    <>
      <SupervisorTabs active="environments" />
      <DataGrid
        gridKey="environments"
        label={t('environments.title')}
        title={t('environments.title')}
        columns={columns}
        query={query}
        state={state}
        onState={setState}
        rowId={(row) => row.name}
        rowHref={(row) => `${boot.basePath}/admin/settings/supervisor/environments/${encodeURIComponent(row.name)}`}
        onOpen={(row) =>
          void navigate({ to: '/admin/settings/supervisor/environments/$name/{-$tab}', params: { name: row.name } })
        }
        primary={<AddEnvironment />}
        empty={{ text: t('environments.empty') }}
      />
    </>
  );
}

function useColumns(): GridColumn<EnvironmentRow>[] {
  const { t, i18n } = useTranslation('supervisor');
  return useMemo(
    (): GridColumn<EnvironmentRow>[] => [
      { id: 'name', title: t('runtime.environment'), width: 180, pin: 'left', card: 'title', hideable: false },
      {
        id: 'status',
        title: t('columns.status'),
        text: (row) => t(`environmentStatus.${row.status}`),
        cell: (row) => <EnvironmentStatus environment={row} />,
        width: 150,
        card: 'status',
      },
      {
        id: 'lastHeartbeatAt',
        title: t('runtime.heartbeat'),
        text: (row) => row.lastHeartbeatAt ?? '',
        cell: (row) => (
          <Group gap="xs" wrap="nowrap">
            <Text size="sm" span>
              {row.lastHeartbeatAt ? <RelativeTime value={row.lastHeartbeatAt} everyMs={1_000} /> : '–'}
            </Text>
            {row.beats && row.beats.length > 0 && <BeatStrip beats={row.beats} />}
          </Group>
        ),
        width: 230,
        card: 'field',
      },
      {
        id: 'appVersion',
        title: t('columns.version'),
        text: (row) => row.appVersion ?? '',
        cell: (row) => <EnvironmentVersion environment={row} />,
        width: 110,
        card: 'field',
      },
      {
        id: 'apps',
        title: t('environments.apps'),
        text: (row) => (row.apps ? `${row.apps.running} / ${row.apps.total}` : ''),
        sortValue: (row) => row.apps?.running ?? 0,
        cell: (row) => (
          <Anchor
            component={Link}
            size="sm"
            to="/admin/settings/supervisor/apps"
            search={{ environment: row.name } as never}
          >
            {row.apps ? `${row.apps.running} / ${row.apps.total}` : '–'}
            <VisuallyHidden>
              {t('environments.appsOf', { name: row.name, running: row.apps?.running, total: row.apps?.total })}
            </VisuallyHidden>
          </Anchor>
        ),
        width: 90,
        card: 'field',
        interactive: true,
      },
      {
        id: 'cpu',
        title: t('environments.cpu'),
        text: (row) => (typeof row.cpu === 'number' ? percent(row.cpu, i18n.language) : ''),
        sortValue: (row) => row.cpu,
        cell: (row) => <Cpu environment={row} />,
        width: 140,
        card: 'none',
      },
      {
        id: 'memory',
        title: t('environments.memory'),
        text: (row) => (typeof row.memory === 'number' ? bytes(row.memory, i18n.language) : ''),
        sortValue: (row) => row.memory,
        cell: (row) => <Memory environment={row} />,
        width: 160,
        card: 'none',
      },
      {
        id: 'url',
        title: t('environments.url'),
        text: (row) => row.url ?? '',
        cell: (row) => row.url ? <AddressTest inline environment={row.name} kind="url" address={row.url} /> : '–',
        width: 340,
        card: 'field',
        interactive: true,
      },
      {
        id: 'proxyUrl',
        title: t('environments.proxyUrl'),
        text: (row) => row.proxyUrl ?? '',
        cell: (row) => row.proxyUrl ? <AddressTest inline environment={row.name} kind="proxyUrl" address={row.proxyUrl} /> : '–',
        width: 340,
        hidden: true,
        card: 'none',
        interactive: true,
      },
    ],
    [t, i18n.language],
  );
}
