import { createRoute, lazyRouteComponent, redirect } from '@tanstack/react-router';
import { adminRoute } from '../../app/baseRoutes';
import { parseGridSearch, parseViewSearch, type GridSearch, type ViewSearch } from '../../ui/DataGrid/urlState';

export interface CollectionsSearch extends GridSearch {
  /** The drawer for a new collection is open. */
  create?: boolean;
  /** The server's own collections are listed too. */
  system?: boolean;
}

export interface RecordsSearch extends ViewSearch {
  /** Key of the record in the drawer, or `new`; digits as a number, which needs no quotes in the address. */
  record?: string | number;
  /** In a tree: key of the record that a new one goes below. */
  above?: string | number;
  /** The drawer edits instead of showing. */
  edit?: boolean;
}

export interface DesignerSearch extends GridSearch {
  /** Name of the field in the drawer, or `new`. */
  field?: string;
  /** The wizard for a new relation is open. */
  relation?: boolean;
}

function parseCollectionsSearch(raw: Record<string, unknown>): CollectionsSearch {
  const search: CollectionsSearch = parseGridSearch(raw);
  if (raw.create === true) search.create = true;
  if (raw.system === true) search.system = true;
  return search;
}

/** A record's key as a search param. */
export const recordParam = (key: string): string | number => (/^[1-9]\d{0,14}$/.test(key) ? Number(key) : key);

export function parseRecordsSearch(raw: Record<string, unknown>): RecordsSearch {
  const search: RecordsSearch = parseViewSearch(raw);
  if (typeof raw.record === 'string' || typeof raw.record === 'number') search.record = raw.record;
  if (typeof raw.above === 'string' || typeof raw.above === 'number') search.above = raw.above;
  if (raw.edit === true) search.edit = true;
  return search;
}

export interface RecordSearch extends GridSearch {
  /** Name of the relation whose records are listed. */
  tab?: string;
  edit?: boolean;
}

function parseRecordSearch(raw: Record<string, unknown>): RecordSearch {
  const search: RecordSearch = parseGridSearch(raw);
  if (typeof raw.tab === 'string' && raw.tab) search.tab = raw.tab;
  if (raw.edit === true) search.edit = true;
  return search;
}

function parseDesignerSearch(raw: Record<string, unknown>): DesignerSearch & RecordsSearch {
  const search: DesignerSearch & RecordsSearch = parseRecordsSearch(raw);
  if (typeof raw.field === 'string') search.field = raw.field;
  if (raw.relation === true) search.relation = true;
  return search;
}

const toCollections = () => {
  throw redirect({ to: '/admin/settings/data/$source/collections', params: { source: 'main' }, replace: true });
};

const dataRoute = createRoute({ getParentRoute: () => adminRoute, path: '/settings/data', beforeLoad: toCollections });

const sourceRoute = createRoute({ getParentRoute: () => adminRoute, path: '/settings/data/$source', beforeLoad: toCollections });

const collectionsRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: '/settings/data/$source/collections',
  validateSearch: parseCollectionsSearch,
  component: lazyRouteComponent(() => import('./CollectionsPage'), 'CollectionsPage'),
});

const collectionRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: '/settings/data/$source/collections/$collection',
  beforeLoad: ({ params }) => {
    throw redirect({
      to: '/admin/settings/data/$source/collections/$collection/$tab',
      params: { ...params, tab: 'fields' },
      replace: true,
    });
  },
});

const designerRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: '/settings/data/$source/collections/$collection/$tab',
  validateSearch: parseDesignerSearch,
  component: lazyRouteComponent(() => import('./DesignerPage'), 'DesignerPage'),
});

const recordsRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: '/r/$collection',
  validateSearch: parseRecordsSearch,
  component: lazyRouteComponent(() => import('./RecordsPage'), 'RecordsPage'),
});

const recordRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: '/r/$collection/$id',
  validateSearch: parseRecordSearch,
  component: lazyRouteComponent(() => import('./RecordPage'), 'RecordPage'),
});

export const dataRoutes = [dataRoute, sourceRoute, collectionsRoute, collectionRoute, designerRoute, recordsRoute, recordRoute] as const;
