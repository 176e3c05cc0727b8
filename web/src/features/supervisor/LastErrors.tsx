import { Code, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';

import { RelativeTime } from '../../ui/RelativeTime';
import type { AppEvent, AppRow } from './model';
import { Panel } from './Panel';
import { eventsQuery } from './queries';
import classes from './Timeline.module.css';

const SHOWN = 5;

/** The newest events that say what went wrong. */
export function lastErrors(events: AppEvent[]): AppEvent[] {
  return events.filter((event) => event.to === 'error' && event.reason !== null).slice(0, SHOWN);
}

/** What went wrong lately; nothing when nothing did. */
export function LastErrors({ app }: { app: AppRow }) {
  const { t } = useTranslation('supervisor');
  const errors = lastErrors(useQuery(eventsQuery(app.name)).data ?? []);
  if (errors.length === 0) return null;
  return (
    <Panel title={t('detail.lastErrors')}>
      <ol className={classes.list}>
        {errors.map((event) => (
          <li key={event.key} className={classes.entry}>
            <Text size="sm">
              <RelativeTime value={event.at} />
            </Text>
            <div className={classes.text}>
              <Text size="sm">{event.reason?.message}</Text>
              <Text size="xs" c="dimmed">
                {event.environment} <Code>{event.reason?.code}</Code>
              </Text>
            </div>
          </li>
        ))}
      </ol>
    </Panel>
  );
}
