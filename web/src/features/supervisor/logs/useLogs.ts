import { useCallback, useEffect, useRef, useState } from 'react';

import { mainApi } from '../../../app/api';
import { DEFAULT_RANGE, LOG_RANGES, type LogAnswer, type LogScope, type LogSearch, merged, type Shown, withNewer } from './model';

const PAGE = 200;
const MOST = 2_000;
const LIVE_MS = 2_500;
/** Lines may reach their file a little later than their time says. */
const OVERLAP_MS = 3_000;
const MINUTE_MS = 60_000;

export interface LogParams extends LogScope, Omit<LogSearch, 'range' | 'in'> {
  since?: string;
  until?: string;
  limit?: number;
}

export function queryLogs(params: LogParams, signal?: AbortSignal): Promise<LogAnswer> {
  return mainApi.call<LogAnswer>('logs:query', { params: { ...params }, signal });
}

export interface Logs extends Shown {
  loading: boolean;
  error: Error | null;
  /** Looks further back; null when there is nothing left, or more than a screen should hold. */
  earlier: (() => void) | null;
  reload: () => void;
}

const NONE: Shown = { lines: [], reached: null, problems: {} };

/** Lines that fit, growing at both ends: new ones while `live`, older ones on demand. */
export function useLogs(scope: LogScope, search: LogSearch, live: boolean): Logs {
  const [answer, setAnswer] = useState(NONE);
  const [loading, setLoading] = useState(true);
  const [error, setError] = useState<Error | null>(null);
  const [round, setRound] = useState(0);
  const begun = useRef('');
  const { range = DEFAULT_RANGE, in: place, ...wanted } = search;
  const key = JSON.stringify({ ...wanted, ...scope, ...(place ? { environment: place } : {}) });

  const load = useCallback(
    async (more: Pick<LogParams, 'since' | 'until'>, signal: AbortSignal) => {
      const params = JSON.parse(key) as LogParams;
      return queryLogs({ ...params, ...more, limit: PAGE }, signal);
    },
    [key],
  );

  useEffect(() => {
    const abort = new AbortController();
    begun.current = new Date(Date.now() - LOG_RANGES[range] * MINUTE_MS).toISOString();
    setLoading(true);
    setError(null);
    load({ since: begun.current }, abort.signal)
      .then(({ lines, ...rest }) => setAnswer({ ...rest, lines: merged([], lines) }))
      .catch((reason: Error) => abort.signal.aborted || (setAnswer(NONE), setError(reason)))
      .finally(() => abort.signal.aborted || setLoading(false));
    return () => abort.abort();
  }, [load, range, round]);

  const newest = answer.lines.at(-1)?.time;
  useEffect(() => {
    if (!live || loading || error) return;
    const abort = new AbortController();
    const from = Math.max(new Date(newest ?? 0).getTime() - OVERLAP_MS, new Date(begun.current).getTime());
    const look = async () => {
      if (document.hidden) return;
      try {
        const more = await load({ since: new Date(from).toISOString() }, abort.signal);
        setAnswer((known) => withNewer(known, more, MOST));
      } catch (reason) {
        if (!abort.signal.aborted) setError(reason as Error);
      }
    };
    const timer = setInterval(() => void look(), LIVE_MS);
    return () => {
      abort.abort();
      clearInterval(timer);
    };
  }, [live, loading, error, newest, load]);

  const earlier = () => {
    if (loading) return;
    setLoading(true);
    load({ since: begun.current, until: answer.reached ?? undefined }, new AbortController().signal)
      .then(({ lines, reached }) => setAnswer((known) => ({ ...known, reached, lines: merged(known.lines, lines) })))
      .catch(setError)
      .finally(() => setLoading(false));
  };

  const more = answer.reached !== null && answer.lines.length < MOST;
  return { ...answer, loading, error, earlier: more ? earlier : null, reload: () => setRound((count) => count + 1) };
}
