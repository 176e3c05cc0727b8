import { createRoute, lazyRouteComponent, notFound, redirect } from '@tanstack/react-router';

import { adminRoute } from '../../app/baseRoutes';
import { isMainApp } from '../../app/boot';
import { type GridSearch, parseGridSearch } from '../../ui/DataGrid/urlState';
import { DETAIL_TABS, type DetailTab, ENVIRONMENT_TABS, type EnvironmentTab } from './detailTabs';
import { parseLogSearch } from './logs/model';
import { APP_TONES, type AppStatus, DATABASE_MODES, type DatabaseMode } from './model';

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

interface AppsSearch extends GridSearch {
  /** The drawer for a new app is open. */
  create?: boolean;
  /** It begins with the settings of this app. */
  like?: string;
  status?: AppStatus;
  environment?: string;
  database?: DatabaseMode;
  pinned?: boolean;
  view?: 'cards';
}

function parseAppsSearch(raw: Record<string, unknown>): AppsSearch {
  const search: AppsSearch = parseGridSearch(raw);
  if (raw.create === true) search.create = true;
  if (raw.create === true && typeof raw.like === 'string') search.like = raw.like;
  if (typeof raw.status === 'string' && raw.status in APP_TONES) search.status = raw.status as AppStatus;
  if (typeof raw.environment === 'string') search.environment = raw.environment;
  if (DATABASE_MODES.some((mode) => mode === raw.database)) search.database = raw.database as DatabaseMode;
  if (raw.pinned === true) search.pinned = true;
  if (raw.view === 'cards') search.view = 'cards';
  return search;
}

const appsRoute = createRoute({
  getParentRoute: () => supervisorRoute,
  path: '/apps',
  validateSearch: parseAppsSearch,
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
  validateSearch: parseLogSearch,
  component: lazyRouteComponent(() => import('./ApplicationPage'), 'ApplicationPage'),
});

const environmentsRoute = createRoute({
  getParentRoute: () => supervisorRoute,
  path: '/environments',
  validateSearch: parseGridSearch,
  component: lazyRouteComponent(() => import('./EnvironmentsPage'), 'EnvironmentsPage'),
});

const environmentRoute = createRoute({
  getParentRoute: () => supervisorRoute,
  path: '/environments/$name/{-$tab}',
  params: {
    parse: ({ name, tab }: { name: string; tab?: string }): { name: string; tab?: EnvironmentTab } => {
      const known = ENVIRONMENT_TABS.find((candidate) => candidate === tab);
      return known ? { name, tab: known } : { name };
    },
    stringify: ({ name, tab }: { name: string; tab?: EnvironmentTab }) => ({ name, tab }),
  },
  validateSearch: parseLogSearch,
  component: lazyRouteComponent(() => import('./EnvironmentPage'), 'EnvironmentPage'),
});

const overviewRoute = createRoute({
  getParentRoute: () => supervisorRoute,
  path: '/overview',
  component: lazyRouteComponent(() => import('./OverviewPage'), 'OverviewPage'),
});

export const supervisorRoutes = [
  supervisorRoute.addChildren([indexRoute, appsRoute, appRoute, environmentsRoute, environmentRoute, overviewRoute]),
] as const;
