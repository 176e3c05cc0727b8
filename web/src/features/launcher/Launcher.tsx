import { Button, SimpleGrid, Skeleton, Text, TextInput, Title } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { mayConfigure, useAccount } from '../../app/account';
import { ApiError } from '../../app/errors';
import { EmptyState } from '../../ui/EmptyState';
import { ErrorState } from '../../ui/ErrorState';
import { PageHeader } from '../../ui/PageHeader';
import { AppIcon } from '../supervisor/AppIcon';
import { AppStatusChip } from '../supervisor/AppStatusChip';
import { addressOf, type ShownApp, titleOf } from '../supervisor/model';
import { useShownApps } from '../supervisor/queries';
import classes from './Launcher.module.css';

/** Every app a person can open, one click away. */
export function Launcher() {
  const { t } = useTranslation('launcher');
  const [text, setText] = useState('');
  const { apps, error, refetch } = useShownApps();
  const visible = useMemo(() => (apps ?? []).filter((app) => !app.options?.hidden), [apps]);
  const wanted = text.trim().toLowerCase();
  const found = visible.filter((app) => `${titleOf(app)} ${app.name} ${app.options?.description ?? ''}`.toLowerCase().includes(wanted));
  const pinned = found.filter((app) => app.pinned);
  const forbidden = error instanceof ApiError && (error.status === 403 || error.status === 404);
  return (
    <>
      <PageHeader title={t('title')} count={visible.length || undefined} />
      {error && !forbidden && <ErrorState error={error} onRetry={() => void refetch()} />}
      {!apps && !error && <Placeholders />}
      {(forbidden || (apps && visible.length === 0)) && <Nothing />}
      {visible.length > 0 && (
        <>
          <TextInput
            maw={360}
            mb="lg"
            aria-label={t('search')}
            placeholder={t('search')}
            leftSection={<IconSearch size={16} aria-hidden />}
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
          />
          {pinned.length > 0 && <Section title={t('pinned')} apps={pinned} />}
          {found.length > pinned.length && (
            <Section
              title={pinned.length > 0 ? t('others') : t('all')}
              apps={found.filter((app) => !app.pinned)}
            />
          )}
          {found.length === 0 && (
            <EmptyState
              action={
                <Button variant="default" onClick={() => setText('')}>
                  {t('clear')}
                </Button>
              }
            >
              {t('noneMatch')}
            </EmptyState>
          )}
        </>
      )}
    </>
  );
}

function Nothing() {
  const { t } = useTranslation('launcher');
  const account = useAccount();
  if (!mayConfigure(account)) return <EmptyState>{t('empty')}</EmptyState>;
  return (
    <EmptyState
      action={
        <Button component={Link} to="/admin/settings/supervisor/apps" search={{ create: true } as never}>
          {t('create')}
        </Button>
      }
    >
      {t('emptyForAdmin')}
    </EmptyState>
  );
}

function Placeholders() {
  return (
    <SimpleGrid cols={{ base: 2, xs: 3, md: 4, lg: 5 }} aria-hidden>
      {Array.from({ length: 5 }, (_, index) => (
        <Skeleton key={index} height={132} radius="lg" />
      ))}
    </SimpleGrid>
  );
}

function Section({ title, apps }: { title: string; apps: ShownApp[] }) {
  return (
    <section aria-label={title}>
      <Title order={2} size="h6" c="dimmed" mb="xs">
        {title}
      </Title>
      <ul className={classes.grid}>
        {apps.map((app) => (
          <li key={app.name}>
            <a className={classes.card} href={addressOf(app)}>
              <AppIcon app={app} size={48} />
              <Text span fw={600} size="sm" ta="center" lineClamp={2} className={classes.title}>
                {titleOf(app)}
              </Text>
              {app.options?.description && (
                <Text span size="xs" c="dimmed" ta="center" lineClamp={2} className={classes.title}>
                  {app.options.description}
                </Text>
              )}
              {app.status && app.status !== 'running' && <AppStatusChip status={app.status} />}
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}
