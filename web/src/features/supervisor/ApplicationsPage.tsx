import { Anchor, Button, Group, NativeSelect, Text } from '@mantine/core';
import {
  IconEyeOff, IconEye, IconLink, IconPin, IconPinnedOff, IconPlayerPlay, IconPlayerStop, IconPlus, IconRefresh,
} from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { boot } from '../../app/boot';
import { ConfirmDialog } from '../../ui/ConfirmDialog';
import { DataGrid, type GridAction, type GridColumn, useGridState, useLocalPage } from '../../ui/DataGrid';
import { CopyText } from '../../ui/CopyText';
import { RelativeTime } from '../../ui/RelativeTime';
import { toast } from '../../ui/toasts';
import { AppIcon } from './AppIcon';
import classes from './ApplicationsPage.module.css';
import { CreateAppDrawer } from './CreateAppDrawer';
import { DeleteAppDialog } from './DeleteAppDialog';
import { EditAppDrawer } from './EditAppDrawer';
import { EnvironmentChips } from './EnvironmentChips';
import { actionsFor, addressOf, APP_TONES, type AppRow, type AppStatus, titleOf } from './model';
import { type AppCommand, updateApp, useAppCommand, useApps } from './queries';
import { StartStop } from './StartStop';
import { StatusCell } from './StatusCell';
import { SupervisorTabs } from './SupervisorTabs';

/** All apps with their live state; new ones are created from here. */
export function ApplicationsPage() {
  const { t } = useTranslation('supervisor');
  const search = useSearch({ from: '/admin/settings/supervisor/apps' });
  const navigate = useNavigate({ from: '/admin/settings/supervisor/apps' });
  const [editing, setEditing] = useState<AppRow | null>(null);
  const [deleting, setDeleting] = useState<AppRow | null>(null);
  const [stopping, setStopping] = useState<AppRow[]>([]);
  const setCreating = (create: boolean) =>
    void navigate({ search: (previous) => ({ ...previous, create: create || undefined }), replace: !create });
  const [state, setState] = useGridState('applications');
  const columns = useColumns();
  const apps = useApps();
  const shown = useMemo(
    () =>
      apps.data?.filter(
        (app) =>
          (!search.status || app.status === search.status) &&
          (!search.environment || (app.environments ?? []).includes(search.environment)),
      ),
    [apps.data, search.status, search.environment],
  );
  const query = useLocalPage({ ...apps, data: shown }, state, columns);
  const { mutate } = useAppCommand();
  const sendAll = (rows: AppRow[], command: AppCommand) => rows.forEach((row) => mutate({ name: row.name, command }));
  const rowActions = useRowActions((row) => mutate({ name: row.name, command: 'restart' }));
  const newButton = (
    <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setCreating(true)}>
      {t('create.button')}
    </Button>
  );

  return (
    <>
      <SupervisorTabs active="apps" />
      <DataGrid
        gridKey="applications"
        label={t('apps.title')}
        title={t('apps.title')}
        primary={newButton}
        columns={columns}
        query={query}
        state={state}
        onState={setState}
        rowId={(row) => row.name}
        rowName={titleOf}
        rowHref={(row) => `${boot.basePath}/admin/settings/supervisor/apps/${row.name}`}
        onOpen={(row) => void navigate({ to: '/admin/settings/supervisor/apps/$name/{-$tab}', params: { name: row.name } })}
        onCreate={() => setCreating(true)}
        onEdit={setEditing}
        onDelete={setDeleting}
        rowActions={rowActions}
        bulkActions={[
          {
            id: 'start',
            label: t('command.start'),
            icon: <IconPlayerPlay size={16} aria-hidden />,
            onAction: ({ rows }) => sendAll(rows.filter((row) => actionsFor(row.status).start), 'start'),
          },
          {
            id: 'stop',
            label: t('command.stop'),
            icon: <IconPlayerStop size={16} aria-hidden />,
            onAction: ({ rows }) => setStopping(rows.filter((row) => actionsFor(row.status).stop)),
          },
        ]}
        toolbar={<Filters status={search.status} environment={search.environment} apps={apps.data ?? []} />}
        empty={
          search.status || search.environment
            ? { text: t('apps.noneMatch') }
            : { text: t('apps.empty'), action: newButton }
        }
      />
      <CreateAppDrawer opened={search.create ?? false} onClose={() => setCreating(false)} />
      {editing && <EditAppDrawer app={editing} opened onClose={() => setEditing(null)} />}
      {deleting && <DeleteAppDialog app={deleting} opened onClose={() => setDeleting(null)} />}
      <ConfirmDialog
        opened={stopping.length > 0}
        onClose={() => setStopping([])}
        question={t('stop.questionMany', { count: stopping.length })}
        verb={t('stop.verbMany', { count: stopping.length })}
        onConfirm={() => sendAll(stopping, 'stop')}
      >
        {stopping.map(titleOf).join(', ')}. {t('stop.consequence')}
      </ConfirmDialog>
    </>
  );
}

function useRowActions(restart: (row: AppRow) => void): (row: AppRow) => GridAction<AppRow>[] {
  const { t } = useTranslation('supervisor');
  const client = useQueryClient();
  const change = (row: AppRow, values: object) => void updateApp(client, row.name, values).catch(toast.error);
  return (row) => [
    {
      id: 'restart',
      label: t('command.restart'),
      icon: <IconRefresh size={16} aria-hidden />,
      disabled: !actionsFor(row.status).restart,
      onAction: restart,
    },
    {
      id: 'copy',
      label: t('apps.copyUrl'),
      icon: <IconLink size={16} aria-hidden />,
      onAction: () => void navigator.clipboard.writeText(new URL(addressOf(row), window.location.href).href),
    },
    {
      id: 'pin',
      label: row.pinned ? t('apps.unpin') : t('apps.pin'),
      icon: row.pinned ? <IconPinnedOff size={16} aria-hidden /> : <IconPin size={16} aria-hidden />,
      onAction: () => change(row, { pinned: !row.pinned }),
    },
    {
      id: 'hide',
      label: row.options?.hidden ? t('apps.show') : t('apps.hide'),
      icon: row.options?.hidden ? <IconEye size={16} aria-hidden /> : <IconEyeOff size={16} aria-hidden />,
      onAction: () => change(row, { options: { hidden: !row.options?.hidden } }),
    },
  ];
}

interface FilterProps {
  status: AppStatus | undefined;
  environment: string | undefined;
  apps: AppRow[];
}

function Filters({ status, environment, apps }: FilterProps) {
  const { t } = useTranslation('supervisor');
  const navigate = useNavigate({ from: '/admin/settings/supervisor/apps' });
  const environments = [...new Set(apps.flatMap((app) => app.environments ?? []))].sort();
  const statuses = Object.keys(APP_TONES) as AppStatus[];
  return (
    <>
      <NativeSelect
        size="sm"
        aria-label={t('apps.filterStatus')}
        value={status ?? ''}
        data={[
          { value: '', label: t('apps.anyStatus') },
          ...statuses.map((value) => ({ value, label: t(`status.${value}`) })),
        ]}
        onChange={(event) => {
          const value = (event.currentTarget.value || undefined) as AppStatus | undefined;
          void navigate({ search: (previous) => ({ ...previous, status: value, page: undefined }) });
        }}
      />
      <NativeSelect
        size="sm"
        aria-label={t('apps.filterEnvironment')}
        value={environment ?? ''}
        data={[
          { value: '', label: t('apps.anyEnvironment') },
          ...environments.map((value) => ({ value, label: value })),
        ]}
        onChange={(event) => {
          const value = event.currentTarget.value || undefined;
          void navigate({ search: (previous) => ({ ...previous, environment: value, page: undefined }) });
        }}
      />
    </>
  );
}

function useColumns(): GridColumn<AppRow>[] {
  const { t } = useTranslation('supervisor');
  return useMemo(
    (): GridColumn<AppRow>[] => [
      {
        id: 'name',
        title: t('columns.application'),
        text: (row) => `${titleOf(row)} (${row.name})`,
        sortValue: titleOf,
        cell: (row) => <ApplicationCell app={row} />,
        width: 230,
        pin: 'left',
        card: 'title',
        hideable: false,
      },
      {
        id: 'status',
        title: t('columns.status'),
        text: (row) => t(`status.${row.status}`),
        cell: (row) => <StatusCell app={row} />,
        width: 200,
        card: 'status',
        interactive: true,
      },
      {
        id: 'environments',
        title: t('columns.environments'),
        text: (row) => (row.environments ?? []).join(', '),
        cell: (row) => <EnvironmentChips names={row.environments ?? []} />,
        width: 170,
        card: 'field',
        interactive: true,
      },
      {
        id: 'url',
        title: t('columns.address'),
        text: addressOf,
        cell: (row) => (
          <Group gap={4} wrap="nowrap">
            <Text size="sm" truncate>
              {row.cname ?? `/apps/${row.name}`}
            </Text>
            <CopyText text={new URL(addressOf(row), window.location.href).href} name={t('columns.address')} />
          </Group>
        ),
        width: 160,
        card: 'field',
        interactive: true,
      },
      {
        id: 'database',
        title: t('columns.database'),
        text: (row) => t(`database.${row.options?.dbConnType ?? 'new_database'}`),
        hidden: true,
        card: 'none',
      },
      {
        id: 'startMode',
        title: t('columns.startMode'),
        text: (row) => (row.options?.autoStart ? t('startMode.together') : t('startMode.visit')),
        hidden: true,
        card: 'none',
      },
      {
        id: 'createdAt',
        title: t('columns.created'),
        text: (row) => row.createdAt ?? '',
        cell: (row) => row.createdAt && <RelativeTime value={row.createdAt} everyMs={60_000} />,
        width: 140,
        hidden: true,
        card: 'none',
      },
      {
        id: 'commands',
        title: t('columns.commands'),
        text: () => '',
        sortable: false,
        hideable: false,
        cell: (row) => <Commands app={row} />,
        width: 165,
        pin: 'right',
        card: 'field',
        interactive: true,
      },
    ],
    [t],
  );
}

function ApplicationCell({ app }: { app: AppRow }) {
  const { t } = useTranslation('supervisor');
  return (
    <span className={classes.application}>
      <AppIcon app={app} />
      <span className={classes.title}>{titleOf(app)}</span>
      <span className={classes.id}>{app.name}</span>
      {app.pinned && <IconPin size={14} aria-label={t('apps.pinned')} role="img" className={classes.pin} />}
    </span>
  );
}

function Commands({ app }: { app: AppRow }) {
  const { t } = useTranslation('supervisor');
  return (
    <Group gap="sm" wrap="nowrap">
      {actionsFor(app.status).open && (
        <Anchor size="sm" href={addressOf(app)} aria-label={t('apps.openApp', { name: titleOf(app) })}>
          {t('apps.open')}
        </Anchor>
      )}
      <StartStop app={app} />
    </Group>
  );
}
