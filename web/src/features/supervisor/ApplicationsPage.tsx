import { Anchor, Button, Center, Group, SegmentedControl, Text, Tooltip, VisuallyHidden } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import {
  IconLayoutGrid, IconPin, IconPlayerPlay, IconPlayerStop, IconPlus, IconRefresh, IconTable, IconTrash, type TablerIcon,
} from '@tabler/icons-react';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { lazy, Suspense, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { boot } from '../../app/boot';
import { ConfirmDialog } from '../../ui/ConfirmDialog';
import { DataGrid, type GridColumn, localPage, useGridState, useLocalPage } from '../../ui/DataGrid';
import { CopyText } from '../../ui/CopyText';
import { RelativeTime } from '../../ui/RelativeTime';
import { AppFilters, isFiltered, passes } from './AppFilters';
import { AppIcon } from './AppIcon';
import classes from './ApplicationsPage.module.css';
import { CardsView } from './CardsView';
import { DeleteAppDialog } from './DeleteAppDialog';
import { DeleteAppsDialog } from './DeleteAppsDialog';
import { EditAppDrawer } from './EditAppDrawer';
import { EnvironmentChips } from './EnvironmentChips';
import { actionsFor, addressOf, type AppRow, titleOf, versionsOf } from './model';
import { ProblemPanel } from './ProblemPanel';
import { type AppCommand, useAppCommand, useApps } from './queries';
import { StartStop } from './StartStop';
import { StatusCell } from './StatusCell';
import { SupervisorTabs } from './SupervisorTabs';
import { usageSentence } from './traffic';
import { TRAFFIC_WIDTH, trafficColumn } from './TrafficCell';
import { useAppActions } from './useAppActions';
import { AppVersion } from './VersionText';

const FROM = '/admin/settings/supervisor/apps';

// The form is large and seldom opened; the list does not wait for it.
const CreateAppDrawer = lazy(() => import('./CreateAppDrawer').then((part) => ({ default: part.CreateAppDrawer })));

/** All apps with their live state; new ones are created from here. */
export function ApplicationsPage() {
  const { t, i18n } = useTranslation('supervisor');
  const search = useSearch({ from: FROM });
  const navigate = useNavigate({ from: FROM });
  const [editing, setEditing] = useState<AppRow | null>(null);
  const [deleting, setDeleting] = useState<AppRow[]>([]);
  const [stopping, setStopping] = useState<AppRow[]>([]);
  const [failed, setFailed] = useState<AppRow | null>(null);
  const setCreating = (create: boolean) =>
    void navigate({ search: (previous) => ({ ...previous, create: create || undefined, like: undefined }), replace: !create });
  const [state, setState] = useGridState('applications');
  const columns = useColumns();
  const apps = useApps();
  const shown = useMemo(() => apps.data?.filter((app) => passes(app, search)), [apps.data, search]);
  const query = useLocalPage({ ...apps, data: shown }, state, columns);
  const actions = useAppActions(setFailed);
  const { mutate } = useAppCommand();
  const sendAll = (rows: AppRow[], command: AppCommand) => rows.forEach((row) => mutate({ name: row.name, command }));
  const newButton = (
    <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setCreating(true)}>
      {t('create.button')}
    </Button>
  );
  const empty = isFiltered(search) ? { text: t('apps.noneMatch') } : { text: t('apps.empty'), action: newButton };
  const toolbar = (
    <>
      <AppFilters apps={apps.data ?? []} />
      <ViewSwitch cards={search.view === 'cards'} />
    </>
  );

  return (
    <>
      <SupervisorTabs active="apps" />
      {search.view === 'cards' ? (
        <CardsView
          apps={shown && localPage(shown, { ...state, page: 1, size: shown.length }, columns).rows}
          query={apps}
          state={state}
          onState={setState}
          toolbar={toolbar}
          primary={newButton}
          empty={empty}
          actions={actions}
          onEdit={setEditing}
          onDelete={(app) => setDeleting([app])}
        />
      ) : (
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
          onDelete={(row) => setDeleting([row])}
          rowActions={actions}
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
            {
              id: 'restart',
              label: t('command.restart'),
              icon: <IconRefresh size={16} aria-hidden />,
              onAction: ({ rows }) => sendAll(rows.filter((row) => actionsFor(row.status).restart), 'restart'),
            },
            {
              id: 'delete',
              label: t('delete.bulk'),
              icon: <IconTrash size={16} aria-hidden />,
              danger: true,
              onAction: ({ rows }) => setDeleting(rows),
            },
          ]}
          toolbar={toolbar}
          empty={empty}
        />
      )}
      {search.create && (!search.like || apps.data !== undefined) && (
        <Suspense>
          <CreateAppDrawer opened onClose={() => setCreating(false)} like={apps.data?.find(({ name }) => name === search.like)} />
        </Suspense>
      )}
      {editing && <EditAppDrawer app={editing} opened onClose={() => setEditing(null)} />}
      {deleting.length === 1 && deleting[0] && <DeleteAppDialog app={deleting[0]} opened onClose={() => setDeleting([])} />}
      {deleting.length > 1 && <DeleteAppsDialog apps={deleting} onClose={() => setDeleting([])} />}
      {failed && <ProblemPanel app={failed} onClose={() => setFailed(null)} />}
      <ConfirmDialog
        opened={stopping.length > 0}
        onClose={() => setStopping([])}
        question={t('stop.questionMany', { count: stopping.length })}
        verb={t('stop.verbMany', { count: stopping.length })}
        onConfirm={() => sendAll(stopping, 'stop')}
      >
        {stopping.map(titleOf).join(', ')}. {usageSentence(stopping, t, i18n.language)} {t('stop.consequence')}
      </ConfirmDialog>
    </>
  );
}

function ViewSwitch({ cards }: { cards: boolean }) {
  const { t } = useTranslation('supervisor');
  const navigate = useNavigate({ from: FROM });
  return (
    <SegmentedControl
      size="sm"
      aria-label={t('apps.view')}
      value={cards ? 'cards' : 'table'}
      onChange={(view) => void navigate({ search: (previous) => ({ ...previous, view: view === 'cards' ? 'cards' : undefined }) })}
      data={[
        { value: 'table', label: <ViewIcon icon={IconTable} label={t('apps.viewTable')} /> },
        { value: 'cards', label: <ViewIcon icon={IconLayoutGrid} label={t('apps.viewCards')} /> },
      ]}
    />
  );
}

function ViewIcon({ icon: Icon, label }: { icon: TablerIcon; label: string }) {
  return (
    <Tooltip label={label}>
      <Center>
        <Icon size={18} aria-hidden />
        <VisuallyHidden>{label}</VisuallyHidden>
      </Center>
    </Tooltip>
  );
}

function useColumns(): GridColumn<AppRow>[] {
  const { t, i18n } = useTranslation('supervisor');
  const roomy = useMediaQuery(TRAFFIC_WIDTH, undefined, { getInitialValueInEffect: false });
  return useMemo(
    (): GridColumn<AppRow>[] => [
      {
        id: 'name',
        title: t('columns.application'),
        text: (row) => `${titleOf(row)} (${row.name})`,
        sortValue: titleOf,
        cell: (row) => <ApplicationCell app={row} />,
        width: 270,
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
      ...(roomy ? [trafficColumn(t, i18n.language)] : []),
      {
        id: 'database',
        title: t('columns.database'),
        text: (row) => databaseText(row, t(`databaseShort.${row.options?.dbConnType ?? 'new_database'}`)),
        width: 220,
        hidden: true,
        card: 'none',
      },
      {
        id: 'version',
        title: t('columns.version'),
        text: versionsOf,
        cell: (row) => <AppVersion app={row} />,
        width: 110,
        card: 'none',
      },
      {
        id: 'lastActivity',
        title: t('columns.lastActivity'),
        text: (row) => row.traffic?.lastRequestAt ?? '',
        cell: (row) => (row.traffic?.lastRequestAt ? <RelativeTime value={row.traffic.lastRequestAt} /> : '–'),
        width: 140,
        card: 'field',
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
        id: 'updatedAt',
        title: t('columns.updated'),
        text: (row) => row.updatedAt ?? '',
        cell: (row) => row.updatedAt && <RelativeTime value={row.updatedAt} everyMs={60_000} />,
        width: 140,
        hidden: true,
        card: 'none',
      },
      {
        id: 'by',
        title: t('columns.by'),
        text: (row) => row.operation?.by ?? '',
        cell: (row) => row.operation?.by || '–',
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
    [t, i18n.language, roomy],
  );
}

/** Kind and name of the database, as far as the name was given. */
function databaseText(app: AppRow, kind: string): string {
  const { database, schema, storage } = app.options?.database ?? {};
  return [kind, database ?? schema ?? storage].filter(Boolean).join(': ');
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
        <Anchor size="sm" className={classes.open} href={addressOf(app)} aria-label={t('apps.openApp', { name: titleOf(app) })}>
          {t('apps.open')}
        </Anchor>
      )}
      <StartStop app={app} />
    </Group>
  );
}
