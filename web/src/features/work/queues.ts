import { queryOptions, useQueryClient } from '@tanstack/react-query';
import { api } from '../../app/api';

/** A channel as `queues:list` describes it. */
export interface QueueRow {
  channel: string;
  serviceKey: string;
  waiting: number;
  /** null: the broker does not tell. */
  delayed: number | null;
  oldestSeconds: number | null;
  inFlight: number;
  consumers: number;
  dead: number;
  /** Why what waits is not done; null while somebody serves it or nothing waits. */
  reason: string | null;
}

/** A dead letter, without its content. */
export interface Letter {
  id: string;
  reason: string;
  diedAt: string;
  publishedAt: string;
  retried: number;
  bytes: number;
}

export type QueueState = 'served' | 'unserved' | 'absent';

export const stateOf = (row: QueueRow): QueueState => (row.consumers > 0 ? 'served' : row.waiting > 0 ? 'unserved' : 'absent');

const EVERY_MS = 5_000;
const KEY = ['queues'];

export const queuesQuery = queryOptions({
  queryKey: [...KEY, 'list'],
  queryFn: ({ signal }) => api.call<QueueRow[]>('queues:list', { signal }),
  refetchInterval: EVERY_MS,
});

export const lettersQuery = (channel: string) =>
  queryOptions({
    queryKey: [...KEY, 'dead', channel],
    queryFn: ({ signal }) => api.call<Letter[]>(`queues:dead/${encodeURIComponent(channel)}`, { signal }),
    refetchInterval: EVERY_MS,
  });

/** Tries dead letters again, or discards them; null: all of the channel. Gives how many. */
export function useLetterActions(channel: string) {
  const client = useQueryClient();
  const act = async (action: 'redrive' | 'drop', ids: string[] | null): Promise<number> => {
    const body = ids === null ? { all: true } : { ids };
    const { count } = await api.call<{ count: number }>(`queues:${action}/${encodeURIComponent(channel)}`, { body });
    await client.invalidateQueries({ queryKey: KEY });
    return count;
  };
  return { redrive: (ids: string[] | null) => act('redrive', ids), drop: (ids: string[] | null) => act('drop', ids) };
}
