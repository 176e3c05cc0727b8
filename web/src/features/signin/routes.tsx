import { createRoute, lazyRouteComponent, redirect } from '@tanstack/react-router';

import { rootRoute } from '../../app/baseRoutes';
import { session } from '../../app/session';
import { safeRedirect } from './redirect';

const startRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/admin', replace: true });
  },
});

const signinRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/signin',
  validateSearch: (search: Record<string, unknown>): { redirect?: string } => {
    const target = safeRedirect(search.redirect);
    return target ? { redirect: target } : {};
  },
  beforeLoad: ({ search }) => {
    if (session.token !== null) throw redirect({ href: search.redirect ?? '/admin', replace: true });
  },
  component: lazyRouteComponent(() => import('./SignInPage'), 'SignInPage'),
});

export const signinRoutes = [startRoute, signinRoute] as const;
