/** The person's tasks: kept right by live messages, and by asking while there is no connection. */
import { queryOptions, useQuery, useQueryClient, type QueryClient } from '@tanstack/react-query';
import { api } from '../../app/api';
import { saveFile } from '../../app/download';
import { Watched } from '../../app/events';
import { useLive, useLiveState } from '../../app/ws';
import { isUnfinished, newer, type Task } from './model';

const SHOWN = 50;
const POLL_MS = 2_000;
const WAITING_MS = 5_000;
const KEY = ['tasks'];

/** Whether the tray is open; it opens itself when a task is started. */
export const tray = new Watched(false);

export const tasksQuery = queryOptions({
  queryKey: KEY,
  queryFn: async ({ signal }) => (await api.resource<Task>('asyncTasks').list({ sort: ['-createdAt'], pageSize: SHOWN }, signal)).data,
});

/** The tasks, newest first, with what comes in; use once per page. */
export function useLiveTasks(onFinished: (task: Task) => void) {
  const client = useQueryClient();
  const connected = useLiveState() === 'open';
  const query = useQuery({
    ...tasksQuery,
    // Why a task waits, and that it does not any more, is told by the list alone.
    refetchInterval: (current) =>
      !connected && current.state.data?.some(isUnfinished) ? POLL_MS : current.state.data?.some((task) => task.status === null) ? WAITING_MS : false,
  });
  const take = (told: Task) => {
    const before = client.getQueryData(tasksQuery.queryKey)?.find((task) => task.id === told.id);
    put(client, told);
    if ((!before || isUnfinished(before)) && !isUnfinished(told)) onFinished(told);
  };
  useLive<Task>('async-tasks:created', take);
  useLive<Task>('async-tasks:progress', take);
  useLive<{ taskId: string; status: Task['status'] }>('async-tasks:status', ({ taskId, status }) => {
    const known = client.getQueryData(tasksQuery.queryKey)?.find((task) => task.id === taskId);
    if (known && isUnfinished(known) && (status === null || status === 0)) put(client, { ...known, status });
    else if (!known || isUnfinished(known)) void client.invalidateQueries({ queryKey: KEY });
  });
  useLive<{ id: string }>('async-tasks:deleted', ({ id }) => drop(client, id));
  return query;
}

function put(client: QueryClient, told: Task): void {
  client.setQueryData(tasksQuery.queryKey, (old) => {
    if (!old) return old;
    const known = old.find((task) => task.id === told.id);
    const task = newer(known, told);
    return known ? old.map((other) => (other.id === told.id ? task : other)) : [task, ...old];
  });
}

function drop(client: QueryClient, id: string): void {
  client.setQueryData(tasksQuery.queryKey, (old) => old?.filter((task) => task.id !== id));
}

/** Tasks that are being started: short ones end before the answer comes, and the tray will show them. */
export const starting = new Watched(0);

/** Starts a task and puts it into the list. `show`: the tray opens. */
export async function startTask(client: QueryClient, type: string, params: object, options: { show?: boolean; title?: string } = {}): Promise<Task> {
  starting.set(starting.get() + 1);
  try {
    const task = await api.call<Task>('asyncTasks:create', { body: { type, title: options.title, params } });
    await client.ensureQueryData(tasksQuery);
    put(client, task);
    if (options.show !== false) tray.set(true);
    return task;
  } finally {
    starting.set(starting.get() - 1);
  }
}

/** One task of the list, followed until it ends. */
export function useTask(id: string | null): Task | undefined {
  return useQuery({ ...tasksQuery, enabled: id !== null }).data?.find((task) => task.id === id);
}

export async function stopTask(client: QueryClient, task: Task): Promise<void> {
  put(client, await api.call<Task>(`asyncTasks:stop/${task.id}`, { method: 'POST' }));
}

export async function dismissTask(client: QueryClient, task: Task): Promise<void> {
  await api.call(`asyncTasks:destroy/${task.id}`, { method: 'POST' });
  drop(client, task.id);
}

export async function fetchResult(task: Task): Promise<void> {
  const name = task.result?.file?.name ?? task.title;
  saveFile(await api.file(`asyncTasks:fetchFile/${task.id}`), name);
}
