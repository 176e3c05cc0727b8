import { createRoute, lazyRouteComponent, notFound, redirect } from '@tanstack/react-router';

import { adminRoute } from '../../app/baseRoutes';
import { isMainApp } from '../../app/boot';

export const DETAIL_TABS = ['overview', 'runtime', 'settings', 'danger'] as const;
export type DetailTab = (typeof DETAIL_TABS)[number];

/** Only the main app can manage apps and environments. */
const supervisorRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: '/settings/supervisor',
  beforeLoad: () => {
    if (!isMainApp) throw notFound();
  },
});

const indexRoute = createRoute({
  getParentRoute: () => supervisorRoute,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/admin/settings/supervisor/apps', replace: true });
  },
});

const appsRoute = createRoute({
  getParentRoute: () => supervisorRoute,
  path: '/apps',
  component: lazyRouteComponent(() => import('./ApplicationsPage'), 'ApplicationsPage'),
});

const appRoute = createRoute({
  getParentRoute: () => supervisorRoute,
  path: '/apps/$name/{-$tab}',
  params: {
    parse: ({ name, tab }: { name: string; tab?: string }): { name: string; tab?: DetailTab } => {
      const known = DETAIL_TABS.find((candidate) => candidate === tab);
      return known ? { name, tab: known } : { name };
    },
    stringify: ({ name, tab }: { name: string; tab?: DetailTab }) => ({ name, tab }),
  },
  component: lazyRouteComponent(() => import('./ApplicationPage'), 'ApplicationPage'),
});

const environmentsRoute = createRoute({
  getParentRoute: () => supervisorRoute,
  path: '/environments',
  component: lazyRouteComponent(() => import('./EnvironmentsPage'), 'EnvironmentsPage'),
});

const environmentRoute = createRoute({
  getParentRoute: () => supervisorRoute,
  path: '/environments/$name',
  component: lazyRouteComponent(() => import('./EnvironmentPage'), 'EnvironmentPage'),
});

export const supervisorRoutes = [
  supervisorRoute.addChildren([indexRoute, appsRoute, appRoute, environmentsRoute, environmentRoute]),
] as const;
