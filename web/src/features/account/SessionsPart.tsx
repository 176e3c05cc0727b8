import { Badge, Button, Group, Stack, Text } from '@mantine/core';
import { IconDeviceDesktop, IconDeviceMobile } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { api } from '../../app/api';
import { ConfirmButton } from '../../ui/ConfirmButton';
import { ErrorState } from '../../ui/ErrorState';
import { RelativeTime } from '../../ui/RelativeTime';
import { toast } from '../../ui/toasts';
import classes from './account.module.css';
import { browserName } from './browserName';
import { type OpenSession, sessionsQuery, useRefresh } from './queries';

/** Where the person is signed in, and the end of that. */
export function SessionsPart() {
  const { t } = useTranslation('account');
  const { data, error, refetch } = useQuery(sessionsQuery);
  const refresh = useRefresh(sessionsQuery);
  if (error) return <ErrorState error={error} onRetry={() => void refetch()} />;
  if (!data) return null;
  const others = data.filter((each) => !each.current).length;
  const endOthers = async () => {
    const count = await api.call<number>('auth:endOtherSessions', { body: {} });
    await refresh();
    toast.success(t('sessions.othersEnded', { count }));
  };
  return (
    <Stack gap="sm">
      <ul className={classes.rows} aria-label={t('sessions.title')}>
        {data.map((each) => (
          <SessionRow key={each.id} session={each} onEnded={refresh} />
        ))}
      </ul>
      {others > 0 && (
        <div>
          <ConfirmButton
            variant="default"
            question={t('sessions.endOthersQuestion')}
            consequences={t('sessions.endOthersText', { count: others })}
            verb={t('sessions.endOthers')}
            onConfirm={endOthers}
          >
            {t('sessions.endOthers')}
          </ConfirmButton>
        </div>
      )}
    </Stack>
  );
}

function SessionRow({ session, onEnded }: { session: OpenSession; onEnded: () => Promise<void> }) {
  const { t } = useTranslation('account');
  const [busy, setBusy] = useState(false);
  const name = browserName(session.agent);
  const Icon = /iOS|Android/.test(name) ? IconDeviceMobile : IconDeviceDesktop;
  const end = async () => {
    setBusy(true);
    try {
      await api.call('auth:endSession', { body: { id: session.id } });
      toast.success(t('sessions.ended'));
    } catch (error) {
      toast.error(error);
    } finally {
      await onEnded();
      setBusy(false);
    }
  };
  return (
    <li className={classes.row}>
      <Icon size={22} stroke={1.600} aria-hidden className={classes.icon} />
      <div className={classes.words}>
        <Group gap="xs">
          <Text size="sm" fw={500}>
            {name}
          </Text>
          {session.current && (
            <Badge variant="light" size="sm" color="lagoon">
              {t('sessions.current')}
            </Badge>
          )}
        </Group>
        <Text size="xs" c="dimmed">
          {t('sessions.seen')} <RelativeTime value={session.seenAt} />
          {session.address && ` · ${session.address}`}
        </Text>
      </div>
      {!session.current && (
        <Button
          variant="subtle"
          size="compact-sm"
          loading={busy}
          onClick={() => void end()}
          aria-label={t('sessions.endOne', { name })}
        >
          {t('sessions.end')}
        </Button>
      )}
    </li>
  );
}
