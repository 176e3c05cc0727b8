import { createRootRoute, createRoute, lazyRouteComponent, redirect } from '@tanstack/react-router';

import { NotFound } from '../features/shell/NotFound';
import { RootLayout } from '../features/shell/RootLayout';
import { RouteError } from '../features/shell/RouteError';
import { RoutePending } from '../features/shell/RoutePending';
import { loadPreferences } from './preferences';
import { session } from './session';

export const rootRoute = createRootRoute({
  component: RootLayout,
  notFoundComponent: NotFound,
  errorComponent: RouteError,
});

/** Parent of everything behind the sign-in; shows header and navigation. Features hang their routes below it. */
export const adminRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/admin',
  beforeLoad: ({ location }) => {
    if (session.token === null) throw redirect({ to: '/signin', search: { redirect: location.href } });
  },
  loader: loadPreferences,
  component: lazyRouteComponent(() => import('../features/shell/Shell'), 'Shell'),
  pendingComponent: RoutePending,
});
