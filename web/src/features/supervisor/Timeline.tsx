import { Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';

import { RelativeTime } from '../../ui/RelativeTime';
import { AppStatusChip } from './AppStatusChip';
import { duration } from './format';
import type { AppEvent, AppRow } from './model';
import { Panel } from './Panel';
import { eventsQuery } from './queries';
import classes from './Timeline.module.css';

const SHOWN = 20;

/** The last changes of state, newest first. Left out where the server keeps none. */
export function Timeline({ app }: { app: AppRow }) {
  const { t } = useTranslation('supervisor');
  const { data } = useQuery(eventsQuery(app.name));
  if (!data || data.length === 0) return null;
  return (
    <Panel title={t('timeline.title')}>
      <ol className={classes.list}>
        {data.slice(0, SHOWN).map((event) => (
          <TimelineEntry key={`${event.at} ${event.environment ?? ''} ${event.to}`} event={event} />
        ))}
      </ol>
    </Panel>
  );
}

function TimelineEntry({ event }: { event: AppEvent }) {
  const { t, i18n } = useTranslation('supervisor');
  const parts = [
    event.environment,
    event.by && t('timeline.by', { name: event.by }),
    event.from && typeof event.durationMs === 'number'
      ? t('timeline.after', { status: t(`status.${event.from}`), time: duration(event.durationMs, i18n.language) })
      : null,
    event.message,
  ].filter(Boolean);
  return (
    <li className={classes.entry}>
      <AppStatusChip status={event.to} />
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
