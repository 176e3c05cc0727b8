import { createRoute, lazyRouteComponent, redirect } from '@tanstack/react-router';

import { adminRoute } from '../../app/baseRoutes';
import { isMainApp } from '../../app/boot';

const homeRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: isMainApp ? '/admin/apps' : '/admin/settings/data/main/collections', replace: true } as never);
  },
});

const launcherRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: '/apps',
  component: lazyRouteComponent(() => import('./Launcher'), 'Launcher'),
});

export const launcherRoutes = [homeRoute, launcherRoute] as const;
