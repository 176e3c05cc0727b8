import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { adminRoute } from '../../app/baseRoutes';
import { parseGridSearch, type GridSearch } from '../../ui/DataGrid/urlState';

export interface TasksSearch extends GridSearch {
  /** The tasks of everybody, for those who look after the app. */
  all?: boolean;
  /** Id of the task whose details are shown. */
  task?: string;
}

export interface QueuesSearch extends GridSearch {
  /** Channel whose dead letters are shown. */
  channel?: string;
}

function parseTasksSearch(raw: Record<string, unknown>): TasksSearch {
  const search: TasksSearch = parseGridSearch(raw);
  if (raw.all === true) search.all = true;
  if (typeof raw.task === 'string') search.task = raw.task;
  return search;
}

function parseQueuesSearch(raw: Record<string, unknown>): QueuesSearch {
  const search: QueuesSearch = parseGridSearch(raw);
  if (typeof raw.channel === 'string') search.channel = raw.channel;
  return search;
}

const tasksRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: '/settings/tasks',
  validateSearch: parseTasksSearch,
  component: lazyRouteComponent(() => import('./TasksPage'), 'TasksPage'),
});

const queuesRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: '/settings/queues',
  validateSearch: parseQueuesSearch,
  component: lazyRouteComponent(() => import('./QueuesPage'), 'QueuesPage'),
});

export const workRoutes = [tasksRoute, queuesRoute] as const;
