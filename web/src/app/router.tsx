import { createRouter } from '@tanstack/react-router';

import { accountRoutes } from '../features/account/routes';
import { dataRoutes } from '../features/data/routes';
import { filesRoutes } from '../features/files/routes';
import { launcherRoutes } from '../features/launcher/routes';
import { signinRoutes } from '../features/signin/routes';
import { supervisorRoutes } from '../features/supervisor/routes';
import { workRoutes } from '../features/work/routes';
import { adminRoute, rootRoute } from './baseRoutes';
import { boot } from './boot';

const routeTree = rootRoute.addChildren([
  ...signinRoutes,
  adminRoute.addChildren([...launcherRoutes, ...supervisorRoutes, ...dataRoutes, ...workRoutes, ...accountRoutes, ...filesRoutes]),
]);

export const router = createRouter({
  routeTree,
  basepath: boot.basePath || '/',
  defaultPreload: 'intent',
  defaultPendingMs: 150,
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
