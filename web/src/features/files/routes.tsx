import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { adminRoute } from '../../app/baseRoutes';
import { parseGridSearch, type GridSearch } from '../../ui/DataGrid/urlState';

export interface StoragesSearch extends GridSearch {
  /** Id of the storage in the drawer, or `new`. */
  storage?: string | number;
}

const storagesRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: '/settings/files',
  validateSearch: (raw: Record<string, unknown>): StoragesSearch => {
    const search: StoragesSearch = parseGridSearch(raw);
    if (typeof raw.storage === 'string' || typeof raw.storage === 'number') search.storage = raw.storage;
    return search;
  },
  component: lazyRouteComponent(() => import('./StoragesPage'), 'StoragesPage'),
});

export const filesRoutes = [storagesRoute] as const;
