import { Alert, Button, Group, Loader, Stack, Switch, Text } from '@mantine/core';
import { IconDownload, IconPlayerPlay } from '@tabler/icons-react';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useLayoutEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { saveFile } from '../../../app/download';
import { EmptyState } from '../../../ui/EmptyState';
import { ErrorState } from '../../../ui/ErrorState';
import { LogFilters } from './LogFilters';
import { LogRow } from './LogRow';
import classes from './Logs.module.css';
import { asFile, keyOf, type LogScope, type LogSearch, parseLogSearch } from './model';
import { type Logs, useLogs } from './useLogs';

interface Props {
  scope: LogScope;
  /** The app's, to choose one of. */
  environments?: string[];
}

const REQUEST_FIELDS = new Set(['reqId', 'trace']);

/** Log lines of an app or an environment; what is looked for stands in the address. */
export function LogsView({ scope, environments = [] }: Props) {
  const { t } = useTranslation('supervisor');
  const navigate = useNavigate();
  const search = parseLogSearch(useSearch({ strict: false }));
  const [live, setLive] = useState(true);
  const [wrap, setWrap] = useState(false);
  const logs = useLogs(scope, search, live);
  const change = (more: LogSearch) =>
    void navigate({ to: '.', search: (previous: LogSearch) => ({ ...previous, ...more }), replace: true } as never);
  const filterBy = (name: string, value: string) => change(REQUEST_FIELDS.has(name) ? { request: value } : { text: value });
  const download = () =>
    saveFile(new Blob([asFile(logs.lines)], { type: 'application/jsonl' }), `${scope.app ?? scope.environment ?? 'logs'}.jsonl`);
  return (
    <Stack gap="sm">
      <LogFilters search={search} onChange={change} environments={environments} />
      <Group justify="space-between" gap="xs">
        <Group gap="md">
          <Switch label={t('logs.live')} checked={live} onChange={(event) => setLive(event.currentTarget.checked)} />
          <Switch label={t('logs.wrap')} checked={wrap} onChange={(event) => setWrap(event.currentTarget.checked)} />
          <Text size="sm" c="dimmed" role="status">
            {t('logs.count', { count: logs.lines.length })}
          </Text>
        </Group>
        <Button
          size="compact-sm"
          variant="default"
          leftSection={<IconDownload size={14} aria-hidden />}
          disabled={logs.lines.length === 0}
          onClick={download}
        >
          {t('logs.download')}
        </Button>
      </Group>
      {Object.entries(logs.problems).map(([environment, problem]) => (
        <Alert key={environment} color="yellow" variant="light" p="xs" title={environment}>
          {problem}
        </Alert>
      ))}
      {logs.error ? (
        <ErrorState error={logs.error} onRetry={logs.reload} />
      ) : (
        <Lines logs={logs} live={live} wrap={wrap} tagged={environments.length > 1 || !scope.app} onFilter={filterBy} search={search} onChange={change} />
      )}
    </Stack>
  );
}

interface LinesProps {
  logs: Logs;
  live: boolean;
  wrap: boolean;
  tagged: boolean;
  search: LogSearch;
  onFilter: (name: string, value: string) => void;
  onChange: (change: LogSearch) => void;
}

const AT_END_PX = 40;

/** Follows the newest line until somebody scrolls up; then it says how many came meanwhile. */
function Lines({ logs, live, wrap, tagged, search, onFilter, onChange }: LinesProps) {
  const { t } = useTranslation('supervisor');
  const list = useRef<HTMLOListElement>(null);
  const [seen, setSeen] = useState<string | null>(null);
  const { lines, loading, earlier } = logs;
  const newest = lines.at(-1);
  const missed = seen === null ? 0 : lines.filter((line) => line.time > seen).length;

  const toEnd = () => {
    setSeen(null);
    list.current?.scrollTo({ top: list.current.scrollHeight });
  };
  useLayoutEffect(() => {
    if (seen !== null) return;
    const follow = () => list.current?.scrollTo({ top: list.current.scrollHeight });
    follow();
    // Lines get their height when they come into view, so the end may have moved.
    const frame = requestAnimationFrame(follow);
    return () => cancelAnimationFrame(frame);
  }, [newest, seen]);
  useEffect(() => setSeen(null), [search.level, search.kind, search.text, search.request, search.range, search.in]);

  const onScroll = () => {
    const at = list.current;
    if (!at) return;
    const atEnd = at.scrollHeight - at.scrollTop - at.clientHeight < AT_END_PX;
    if (atEnd) setSeen(null);
    else if (seen === null) setSeen(newest?.time ?? '');
  };

  if (!loading && lines.length === 0 && !earlier) {
    return (
      <EmptyState
        action={
          search.range !== '7d' && (
            <Button variant="default" onClick={() => onChange({ range: '7d' })}>
              {t('logs.widen')}
            </Button>
          )
        }
      >
        {t('logs.none')}
      </EmptyState>
    );
  }
  return (
    <div className={classes.frame}>
      <ol ref={list} className={classes.list} data-wrap={wrap || undefined} tabIndex={0} aria-label={t('logs.title')} onScroll={onScroll}>
        {(earlier ?? loading) && (
          <li className={classes.edge}>
            {loading ? (
              <Loader size="sm" aria-label={t('logs.loading')} />
            ) : (
              <Button size="compact-sm" variant="default" onClick={earlier ?? undefined}>
                {t('logs.earlier')}
              </Button>
            )}
          </li>
        )}
        {lines.map((line) => (
          <LogRow key={keyOf(line)} line={line} tagged={tagged} onFilter={onFilter} />
        ))}
      </ol>
      {live && seen !== null && (
        <Button className={classes.pause} size="compact-md" leftSection={<IconPlayerPlay size={14} aria-hidden />} onClick={toEnd}>
          {t('logs.paused', { count: missed })}
        </Button>
      )}
    </div>
  );
}
