import { Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';

import { RelativeTime } from '../../ui/RelativeTime';
import { AppStatusChip } from './AppStatusChip';
import { duration } from './format';
import type { AppEvent, AppRow } from './model';
import { Panel } from './Panel';
import { eventsQuery } from './queries';
import classes from './Timeline.module.css';

const SHOWN = 20;
const HISTORY_DELAY_MS = 600;

/** What was asked for and how the state changed, newest first. Left out where the server keeps none. */
export function Timeline({ app }: { app: AppRow }) {
  const { t } = useTranslation('supervisor');
  const { data, refetch } = useQuery(eventsQuery(app.name));
  const state = JSON.stringify(app.statuses);
  useEffect(() => {
    // The server writes history a moment after the state has changed.
    const timer = setTimeout(() => void refetch(), HISTORY_DELAY_MS);
    return () => clearTimeout(timer);
  }, [state, refetch]);
  if (!data || data.length === 0) return null;
  return (
    <Panel title={t('timeline.title')}>
      <ol className={classes.list}>
        {data.slice(0, SHOWN).map((event) => (
          <TimelineEntry key={event.key} event={event} />
        ))}
      </ol>
    </Panel>
  );
}

function TimelineEntry({ event }: { event: AppEvent }) {
  const { t, i18n } = useTranslation('supervisor');
  const { from, to, durationMs } = event;
  const lasted = from && durationMs !== null ? duration(durationMs, i18n.language) : null;
  const parts = [
    event.environment,
    event.by && t('timeline.by', { name: event.by }),
    lasted && t('timeline.after', { status: t(`status.${from}`), time: lasted }),
    event.reason?.message ?? event.message,
  ].filter(Boolean);
  return (
    <li className={classes.entry}>
      {to ? (
        <span>
          <AppStatusChip status={to} past />
        </span>
      ) : (
        <Text size="sm" fw={600}>
          {t(`timeline.action.${event.action}`, event.action)}
        </Text>
      )}
      <div className={classes.text}>
        <Text size="sm">
          <RelativeTime value={event.at} />
        </Text>
        <Text size="xs" c="dimmed">
          {parts.join(' · ')}
        </Text>
      </div>
    </li>
  );
}
