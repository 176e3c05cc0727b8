/** The page of all tasks: pages of the server's list, and what live messages say since. */
import { keepPreviousData, queryOptions, useQuery, useQueryClient } from '@tanstack/react-query';
import { api } from '../../app/api';
import { useLive } from '../../app/ws';
import type { GridPage, GridState } from '../../ui/DataGrid';
import { isUnfinished, newer, type Task } from '../tasks/model';
import { tasksQuery } from '../tasks/queries';

const KEY = ['tasks', 'page'];
/** Others' tasks send no messages here. */
const OTHERS_MS = 3_000;
const IDLE_MS = 30_000;

function pageQuery(state: GridState, all: boolean) {
  const resource = all ? 'allTasks' : 'asyncTasks';
  const sort = state.sort.length > 0 ? state.sort.map(({ id, desc }) => `${desc ? '-' : ''}${id}`) : ['-createdAt'];
  const filter = state.q.trim() ? { title: { $includes: state.q.trim() } } : undefined;
  return queryOptions({
    queryKey: [...KEY, { resource, sort, filter, page: state.page, size: state.size }],
    queryFn: async ({ signal }): Promise<GridPage<Task>> => {
      const { data, meta } = await api.resource<Task>(resource).list({ filter, sort, page: state.page, pageSize: state.size }, signal);
      return { rows: data, total: meta.count };
    },
    placeholderData: keepPreviousData,
  });
}

export function useTaskPage(state: GridState, all: boolean) {
  const client = useQueryClient();
  const query = useQuery({
    ...pageQuery(state, all),
    refetchInterval: (current) => (current.state.data?.rows.some(isUnfinished) ? OTHERS_MS : IDLE_MS),
  });
  const refresh = () => void client.invalidateQueries({ queryKey: KEY });
  useLive('async-tasks:created', refresh);
  useLive('async-tasks:status', refresh);
  useLive('async-tasks:deleted', refresh);
  // The tray hears of progress; what it knows is never older.
  const known = useQuery(tasksQuery).data;
  const rows = query.data?.rows.map((row) => {
    const told = all ? undefined : known?.find((task) => task.id === row.id);
    return told ? newer(row, told) : row;
  });
  return { query: { ...query, data: query.data && rows ? { ...query.data, rows } : undefined }, refresh };
}

export const stopAny = (task: Task): Promise<unknown> => api.call(`allTasks:stop/${task.id}`, { method: 'POST' });
export const dismissAny = (task: Task): Promise<unknown> => api.call(`allTasks:destroy/${task.id}`, { method: 'POST' });
