import { Button, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';

import classes from './Logs.module.css';
import { LogRow } from './LogRow';
import { keyOf } from './model';
import { queryLogs } from './useLogs';

const LINES = 40;
const AFTER_MS = 2_000;

interface Props {
  app: string;
  environment: string;
  /** When it happened; null for now. */
  at: string | null;
}

/** What the app logged in an environment until shortly after something happened. */
export function LinesAround({ app, environment, at }: Props) {
  const { t } = useTranslation('supervisor');
  const until = at === null ? undefined : new Date(new Date(at).getTime() + AFTER_MS).toISOString();
  const { data } = useQuery({
    queryKey: ['logs', app, environment, at],
    queryFn: ({ signal }) => queryLogs({ app, environment, until, kind: 'system', limit: LINES }, signal),
    enabled: environment !== '',
    retry: false,
  });
  if (!data) return null;
  const lines = [...data.lines].reverse();
  return (
    <Stack gap="xs" component="section" aria-label={t('logs.around')}>
      <Text size="sm" fw={600}>
        {t('logs.around')}
      </Text>
      {data.problems[environment] && (
        <Text size="sm" c="dimmed">
          {data.problems[environment]}
        </Text>
      )}
      {lines.length > 0 && (
        <ol className={`${classes.list} ${classes.few}`} data-wrap tabIndex={0} aria-label={t('logs.around')}>
          {lines.map((line) => (
            <LogRow key={keyOf(line)} line={line} tagged={false} />
          ))}
        </ol>
      )}
      <div>
        <Button
          component={Link}
          size="compact-sm"
          variant="default"
          to="/admin/settings/supervisor/apps/$name/{-$tab}"
          params={{ name: app, tab: 'logs' } as never}
        >
          {t('logs.view')}
        </Button>
      </div>
    </Stack>
  );
}
