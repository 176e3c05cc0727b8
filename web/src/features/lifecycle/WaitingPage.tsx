import { Alert, Anchor, Button, Group, Loader, Paper, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { api } from '../../app/api';
import { useAppTitle } from '../../app/account';
import { boot, isBehindEntry, isMainApp } from '../../app/boot';
import { ApiError } from '../../app/errors';
import { lifecycle, type Maintenance } from '../../app/lifecycle';
import { leaveMaintenance } from '../../app/maintenance';
import { sessionOf } from '../../app/session';
import { useLiveState } from '../../app/ws';
import { CopyText } from '../../ui/CopyText';
import { AppIcon } from '../supervisor/AppIcon';
import { AppStatusChip } from '../supervisor/AppStatusChip';
import { type AppRow, type AppStatus } from '../supervisor/model';
import { ProgressSteps } from '../supervisor/ProgressSteps';
import { appQuery, useAppCommand } from '../supervisor/queries';
import classes from './WaitingPage.module.css';

const POLL_MS = 2_000;

const STATUS_OF_CODE: Record<string, AppStatus> = {
  APP_NOT_FOUND: 'not_found',
  APP_PREPARING: 'preparing',
  APP_INITIALIZING: 'initializing',
  APP_INITIALIZED: 'initialized',
  APP_STARTING: 'commanding',
  APP_COMMANDING: 'commanding',
  APP_STOPPED: 'stopped',
  APP_ERROR: 'error',
  COMMAND_ERROR: 'error',
  ENVIRONMENT_UNAVAILABLE: 'unknown',
};

/** Shown while the app does not answer requests; opens the app by itself as soon as it does. */
export default function WaitingPage({ maintenance }: { maintenance: Maintenance }) {
  const { t } = useTranslation('lifecycle');
  const title = useAppTitle();
  useAnswerPoll();
  const record = useRecord();
  const status = record?.status && record.status !== 'running' ? record.status : statusOf(maintenance);
  const message = record?.reason?.message ?? maintenance.message;
  const waiting = !['stopped', 'error', 'not_found'].includes(status);
  return (
    <main className={classes.page}>
      <Paper withBorder radius="lg" p={{ base: 'md', xs: 'xl' }} className={classes.card}>
        <Stack gap="md">
          <Group gap="sm" wrap="nowrap">
            <AppIcon app={record ?? { name: boot.app, displayName: title }} size={44} />
            <div className={classes.titles}>
              <Title order={1} size="h3">
                {title}
              </Title>
              <AppStatusChip status={status} />
            </div>
          </Group>
          <div role="status">{waiting ? <Hint since={maintenance.since} /> : <Text>{t(`final.${status}`)}</Text>}</div>
          {message && status !== 'not_found' && (
            <Text size="sm" c="dimmed" className={classes.message}>
              {message}
            </Text>
          )}
          {record?.progress && waiting && <ProgressSteps progress={record.progress} />}
          {record?.reason?.remedy && <Alert color="yellow">{record.reason.remedy}</Alert>}
          <Actions status={status} record={record} details={`${maintenance.code}: ${message}`} />
        </Stack>
      </Paper>
    </main>
  );
}

function statusOf(maintenance: Maintenance): AppStatus {
  return STATUS_OF_CODE[maintenance.code] ?? (maintenance.code.endsWith('ERROR') ? 'error' : 'preparing');
}

function Hint({ since }: { since: number }) {
  const { t } = useTranslation('lifecycle');
  const [seconds, setSeconds] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setSeconds(Math.round((Date.now() - since) / 1000)), 1000);
    return () => clearInterval(timer);
  }, [since]);
  return (
    <Group gap="sm" wrap="nowrap">
      <Loader size="sm" aria-hidden />
      <div>
        <Text>{t('hint')}</Text>
        <Text size="sm" c="dimmed" aria-hidden>
          {t('elapsed', { count: seconds })}
        </Text>
      </div>
    </Group>
  );
}

/** Asks every two seconds whether the app answers; while the socket is open its messages come first. */
function useAnswerPoll(): void {
  useQuery({
    queryKey: ['lifecycle', 'answer'],
    gcTime: 0,
    staleTime: 0,
    retry: false,
    refetchInterval: POLL_MS,
    queryFn: async () => {
      try {
        await api.call('app:getInfo', { quiet: true });
        leaveMaintenance();
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        // 404 for an unknown app, 503 while it starts: both say in which state it is.
        if (error.maintaining || error.code === 'APP_NOT_FOUND') lifecycle.report(error);
      }
      return null;
    },
  });
}

/** The app as the entry point knows it, for those who are signed in there; else null. */
function useRecord(): AppRow | null {
  const open = useLiveState() === 'open';
  const enabled = !isMainApp && isBehindEntry && sessionOf('main').token !== null;
  const query = useQuery({
    ...appQuery(boot.app),
    enabled,
    retry: false,
    refetchInterval: open ? POLL_MS : POLL_MS * 2,
  });
  return query.data ?? null;
}

function Actions({ status, record, details }: { status: AppStatus; record: AppRow | null; details: string }) {
  const { t } = useTranslation('lifecycle');
  const command = useAppCommand();
  const startable = record !== null && (status === 'stopped' || status === 'error');
  return (
    <Group gap="xs">
      {startable && (
        <Button loading={command.isPending} onClick={() => command.mutate({ name: boot.app, command: 'start' })}>
          {status === 'error' ? t('retry') : t('start')}
        </Button>
      )}
      {status === 'error' && <CopyText text={details} label={t('copyDetails')} />}
      {!isMainApp && isBehindEntry && (
        <Anchor href="/admin/apps" size="sm">
          {t('launcher')}
        </Anchor>
      )}
    </Group>
  );
}
