import { createRoute, lazyRouteComponent } from '@tanstack/react-router';

import { adminRoute } from '../../app/baseRoutes';
import { parseGridSearch } from '../../ui/DataGrid/urlState';

const profileRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: '/profile',
  component: lazyRouteComponent(() => import('./ProfilePage'), 'ProfilePage'),
});

const apiKeysRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: '/settings/api-keys',
  validateSearch: parseGridSearch,
  component: lazyRouteComponent(() => import('./ApiKeysPage'), 'ApiKeysPage'),
});

const authenticatorsRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: '/settings/authenticators',
  validateSearch: parseGridSearch,
  component: lazyRouteComponent(() => import('./AuthenticatorsPage'), 'AuthenticatorsPage'),
});

export const accountRoutes = [profileRoute, apiKeysRoute, authenticatorsRoute] as const;
