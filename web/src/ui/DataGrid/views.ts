/** Saved views of lists: a name for a filter, an order and a look, kept on the server. */
import { queryOptions, useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { api } from '../../app/api';
import { setPreference } from '../../app/preferences';
import { queryClient } from '../../app/queries';
import { isFilter, type Filter } from '../FilterBuilder/grammar';
import { preferenceKey, useGridPreference, type GridPreference } from './preferences';
import type { Density } from './types';

export type ViewColumns = Pick<GridPreference, 'order' | 'visible' | 'widths' | 'pins'>;

export interface SavedView {
  id: string;
  title: string;
  /** Everybody sees it. */
  shared: boolean;
  /** This person may change it. */
  editable: boolean;
  filter: Filter | null;
  /** As in `?sort=`: `-createdAt` is descending. */
  sort: string[] | null;
  columns: ViewColumns | null;
  density: Density | null;
}

export type ViewValues = Partial<Omit<SavedView, 'id' | 'editable'>>;

/** The views of one list, and the one it is in. */
export interface GridViews {
  all: SavedView[];
  active: SavedView | null;
  /** Id of the view the list opens in by itself. */
  standard: string | undefined;
  /** The address names a view that is not there (any more). */
  missing: boolean;
  /** Filter or order differ from those of the view. */
  modified: boolean;
  /** It is not known yet what to show. */
  waiting: boolean;
  /** Goes to a view as it was saved; null leaves all views. */
  choose: (id: string | null) => void;
}

/** In the address: no view, though one opens by itself. */
export const NO_VIEW = 'all';

const keyOf = (gridKey: string) => ['views', gridKey] as const;

export const viewsQuery = (gridKey: string) =>
  queryOptions({
    queryKey: keyOf(gridKey),
    queryFn: ({ signal }) => api.call<SavedView[]>('views:list', { params: { blockId: gridKey }, signal }),
    staleTime: 30_000,
  });

export function useViews(gridKey: string, on: boolean) {
  return useQuery({ ...viewsQuery(gridKey), enabled: on }, queryClient);
}

const lookKey = (gridKey: string, view: SavedView | null | undefined) => (view ? `${gridKey}@${view.id}` : gridKey);

export function lookOf(view: SavedView): GridPreference {
  return { ...view.columns, ...(view.density ? { density: view.density } : {}) };
}

export interface GridLook {
  preference: GridPreference;
  change: (update: (old: GridPreference) => GridPreference) => void;
  /** Back to the view, or to the default. */
  reset: () => void;
  /** The person changed the look since. */
  changed: boolean;
}

/** The look of a list: what its user chose, in a view on top of what the view says. */
export function useGridLook(gridKey: string, view: SavedView | null | undefined): GridLook {
  const [own, change] = useGridPreference(lookKey(gridKey, view));
  return useMemo(() => {
    const base = view ? lookOf(view) : {};
    return {
      preference: { ...base, ...own },
      change: (update) => change((old) => update({ ...base, ...old })),
      // Which view opens is not a matter of looks.
      reset: () => change((old) => (old.view ? { view: old.view } : {})),
      changed: Object.keys(own).some((name) => name !== 'view' && name !== 'size'),
    };
  }, [own, change, view]);
}

/** Saves a new view (`id` null) or changes one; answers it. */
export async function saveView(gridKey: string, id: string | null, values: ViewValues): Promise<SavedView> {
  const resource = api.resource<SavedView>('views');
  const saved = id === null ? await resource.create({ blockId: gridKey, ...values }) : await resource.update(id, values);
  // At once, so that the list is in the view when its address says so.
  queryClient.setQueryData<SavedView[]>(keyOf(gridKey), (old) =>
    [...(old ?? []).filter((view) => view.id !== saved.id), saved].sort((a, b) => a.title.localeCompare(b.title)),
  );
  void queryClient.invalidateQueries({ queryKey: keyOf(gridKey) });
  return saved;
}

export async function deleteView(gridKey: string, view: SavedView): Promise<void> {
  await api.resource('views').destroy(view.id);
  forgetLook(gridKey, view);
  queryClient.setQueryData<SavedView[]>(keyOf(gridKey), (old) => old?.filter((other) => other.id !== view.id));
}

/** After its look was saved to the view, or the view is gone. */
export function forgetLook(gridKey: string, view: SavedView): void {
  setPreference(preferenceKey(lookKey(gridKey, view)), undefined);
}

/** A filter as it is compared: nothing and an empty one are the same. */
export const sameFilter = (a: Filter | null | undefined, b: Filter | null | undefined) =>
  JSON.stringify(isFilter(a) && Object.keys(a).length > 0 ? a : null) === JSON.stringify(isFilter(b) && Object.keys(b).length > 0 ? b : null);
