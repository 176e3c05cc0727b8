import { Alert, Anchor, Button, Group, SimpleGrid, Skeleton, Stack, Tabs, Text } from '@mantine/core';
import { IconArrowLeft, IconRefresh, IconTrash } from '@tabler/icons-react';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { CopyText } from '../../ui/CopyText';
import { EmptyState } from '../../ui/EmptyState';
import { ErrorState } from '../../ui/ErrorState';
import { PageHeader } from '../../ui/PageHeader';
import { RelativeTime } from '../../ui/RelativeTime';
import { dateTime } from '../../ui/time';
import { AppIcon } from './AppIcon';
import classes from './ApplicationPage.module.css';
import { AppMenu } from './AppMenu';
import { AppStatusChip } from './AppStatusChip';
import { DeleteAppDialog } from './DeleteAppDialog';
import { EditAppButtons, EditAppFields, useAppEditing } from './EditAppForm';
import { EnvironmentChips } from './EnvironmentChips';
import { Facts } from '../../ui/Facts';
import { actionsFor, addressOf, type AppRow, titleOf } from './model';
import { LastErrors } from './LastErrors';
import { LogsView } from './logs/LogsView';
import { MetricsView } from './metrics/MetricsView';
import { Panel } from './Panel';
import { ProblemPanel } from './ProblemPanel';
import { ProgressSteps } from './ProgressSteps';
import { useApp } from './queries';
import { ReasonPanel } from './ReasonPanel';
import { DETAIL_TABS, type DetailTab } from './detailTabs';
import { RotateSecret } from './RotateSecret';
import { RuntimeTable } from './RuntimeTable';
import { StartStop, useCommand } from './StartStop';
import { useProgressNote } from './StatusCell';
import { Timeline } from './Timeline';
import { TrafficTiles } from './TrafficTiles';
import { useAppActions } from './useAppActions';
import { AppVersion } from './VersionText';

const FROM = '/admin/settings/supervisor/apps/$name/{-$tab}';

/** Everything about one app. */
export function ApplicationPage() {
  const { t } = useTranslation('supervisor');
  const { name, tab } = useParams({ from: FROM });
  const { data: app, error, isPending, refetch } = useApp(name);
  return (
    <>
      <Anchor component={Link} to="/admin/settings/supervisor/apps" size="sm" mb="xs" display="inline-flex">
        <IconArrowLeft size={16} aria-hidden /> {t('apps.title')}
      </Anchor>
      {error && <ErrorState error={error} onRetry={() => void refetch()} />}
      {isPending && !error && <Skeleton height={240} />}
      {app === null && <EmptyState>{t('detail.gone', { name })}</EmptyState>}
      {app && <Detail key={app.name} app={app} tab={tab ?? 'overview'} />}
    </>
  );
}

function Detail({ app, tab }: { app: AppRow; tab: DetailTab }) {
  const { t } = useTranslation('supervisor');
  const navigate = useNavigate({ from: FROM });
  const choose = (value: string | null) => {
    const next = value === 'overview' ? undefined : (value as DetailTab);
    void navigate({ params: { name: app.name, tab: next } as never });
  };
  return (
    <>
      <Header app={app} onEdit={() => choose('settings')} />
      <Tabs value={tab} onChange={choose} keepMounted={false}>
        <Tabs.List aria-label={titleOf(app)} mb="md" className={classes.tabs}>
          {DETAIL_TABS.map((key) => (
            <Tabs.Tab key={key} value={key}>
              {t(`detail.${key}`)}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="overview">
          <Overview app={app} />
        </Tabs.Panel>
        <Tabs.Panel value="runtime">
          <Panel title={t('detail.runtime')}>
            <RuntimeTable app={app} />
          </Panel>
        </Tabs.Panel>
        <Tabs.Panel value="logs">
          <LogsView scope={{ app: app.name }} environments={app.environments ?? []} />
        </Tabs.Panel>
        <Tabs.Panel value="metrics">
          <MetricsView scope={{ app: app.name }} />
        </Tabs.Panel>
        <Tabs.Panel value="settings">
          <Settings app={app} />
        </Tabs.Panel>
        <Tabs.Panel value="danger">
          <DangerZone app={app} />
        </Tabs.Panel>
      </Tabs>
    </>
  );
}

function Header({ app, onEdit }: { app: AppRow; onEdit: () => void }) {
  const { t } = useTranslation('supervisor');
  const [failed, setFailed] = useState<AppRow | null>(null);
  const [deleting, setDeleting] = useState(false);
  const actions = useAppActions(setFailed);
  const { send, waiting } = useCommand(app);
  const note = useProgressNote(app.progress);
  const allowed = actionsFor(app.status);
  return (
    <PageHeader
      icon={<AppIcon app={app} size={44} />}
      title={titleOf(app)}
      description={
        <div role="status">
          <AppStatusChip status={app.status} note={note} />
        </div>
      }
      actions={
        <>
          {allowed.restart && (
            <Button
              variant="default"
              loading={waiting}
              leftSection={<IconRefresh size={16} aria-hidden />}
              onClick={() => void send('restart')}
            >
              {t('command.restart')}
            </Button>
          )}
          <StartStop app={app} size="sm" />
          {allowed.open && (
            <Button component="a" href={addressOf(app)}>
              {t('apps.open')}
            </Button>
          )}
          <AppMenu
            app={app}
            actions={actions}
            onEdit={onEdit}
            onDelete={() => setDeleting(true)}
            button={{ size: 36, variant: 'default' }}
          />
          {failed && <ProblemPanel app={failed} onClose={() => setFailed(null)} />}
          <DeleteThisApp app={app} opened={deleting} onClose={() => setDeleting(false)} />
        </>
      }
    />
  );
}

/** Goes back to the list when the app is gone. */
function DeleteThisApp(props: { app: AppRow; opened: boolean; onClose: () => void }) {
  const navigate = useNavigate();
  return <DeleteAppDialog {...props} onDeleted={() => void navigate({ to: '/admin/settings/supervisor/apps' })} />;
}

function Overview({ app }: { app: AppRow }) {
  const { t, i18n } = useTranslation('supervisor');
  const { send, waiting } = useCommand(app);
  const address = new URL(addressOf(app), window.location.href).href;
  const facts: [string, ReactNode][] = [
    [t('form.name'), <WithCopy key="name" text={app.name} name={t('form.name')} />],
    [t('columns.address'), <WithCopy key="address" text={address} name={t('columns.address')} />],
    [t('columns.environments'), <EnvironmentChips key="environments" names={app.environments ?? []} />],
    [t('columns.version'), <AppVersion key="version" app={app} />],
    [t('columns.database'), t(`database.${app.options?.dbConnType ?? 'new_database'}`)],
    [t('columns.startMode'), app.options?.autoStart ? t('startMode.together') : t('startMode.visit')],
    [
      t('columns.lastActivity'),
      app.traffic?.lastRequestAt ? <RelativeTime key="activity" value={app.traffic.lastRequestAt} /> : '–',
    ],
    [t('columns.created'), app.createdAt ? dateTime(app.createdAt, i18n.language) : '–'],
  ];
  return (
    <Stack gap="md">
      <ReasonPanel app={app} />
      {app.traffic && <TrafficTiles traffic={app.traffic} />}
      {app.restartNeeded && (
        <Alert color="yellow" variant="light" title={t('detail.restartNeeded')}>
          <Button size="compact-sm" variant="default" loading={waiting} onClick={() => void send('restart')}>
            {t('command.restart')}
          </Button>
        </Alert>
      )}
      <SimpleGrid cols={{ base: 1, md: 2 }}>
        <Panel title={t('detail.facts')}>
          <Facts facts={facts} />
        </Panel>
        {app.progress && app.progress.steps.length > 0 && (
          <Panel title={t('detail.steps')}>
            <ProgressSteps progress={app.progress} />
          </Panel>
        )}
        <Timeline app={app} />
        <LastErrors app={app} />
      </SimpleGrid>
    </Stack>
  );
}

function WithCopy({ text, name }: { text: string; name: string }) {
  return (
    <Group gap={4} wrap="nowrap">
      <Text span size="sm" ff="monospace" className={classes.value}>
        {text}
      </Text>
      <CopyText text={text} name={name} />
    </Group>
  );
}

function Settings({ app }: { app: AppRow }) {
  const { t } = useTranslation('supervisor');
  const editing = useAppEditing(app);
  return (
    <Panel title={t('detail.settings')} narrow>
      <EditAppFields editing={editing} />
      <EditAppButtons editing={editing} />
    </Panel>
  );
}

function DangerZone({ app }: { app: AppRow }) {
  const { t } = useTranslation('supervisor');
  const [deleting, setDeleting] = useState(false);
  return (
    <Panel title={t('detail.danger')} narrow>
      <Group justify="space-between" gap="md" pb="md" mb="md" className={classes.part}>
        <div>
          <Text fw={600} size="sm">
            {t('rotate.heading')}
          </Text>
          <Text size="sm" c="dimmed">
            {t('rotate.consequence')}
          </Text>
        </div>
        <RotateSecret name={app.name} />
      </Group>
      <Group justify="space-between" gap="md">
        <div>
          <Text fw={600} size="sm">
            {t('delete.heading')}
          </Text>
          <Text size="sm" c="dimmed">
            {t('delete.consequence')}
          </Text>
        </div>
        <Button color="red.8" leftSection={<IconTrash size={16} aria-hidden />} onClick={() => setDeleting(true)}>
          {t('delete.open')}
        </Button>
      </Group>
      <DeleteThisApp app={app} opened={deleting} onClose={() => setDeleting(false)} />
    </Panel>
  );
}
