/** A list's state in the URL: `?q=&filter=&sort=-createdAt,name&page=2&size=50&view=v_1a2b`. */
import { useCallback, useEffect, useMemo } from 'react';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { isFilter, type Filter } from '../FilterBuilder/grammar';
import { useGridPreference } from './preferences';
import { DEFAULT_SIZE, PAGE_SIZES, type GridState, type SortKey } from './types';
import { NO_VIEW, sameFilter, useViews, type GridViews, type SavedView } from './views';

/** Search params of a list screen; defaults are left out. Use `parseGridSearch` as the route's `validateSearch`. */
export interface GridSearch {
  q?: string;
  filter?: Filter;
  sort?: string;
  page?: number;
  size?: number;
}

/** The same of a list with saved views. */
export interface ViewSearch extends GridSearch {
  /** Id of a view; filter and sort are there only when they differ from it. */
  view?: string;
}

/** Order of a list that is in a view, and not in its order. */
const UNSORTED = '-';

export function parseSort(text: string | undefined): SortKey[] {
  if (!text) return [];
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '' && part !== '-')
    .map((part) => (part.startsWith('-') ? { id: part.slice(1), desc: true } : { id: part, desc: false }));
}

export function formatSort(sort: SortKey[]): string {
  return sort.map((key) => (key.desc ? `-${key.id}` : key.id)).join(',');
}

/** Reads untrusted search params: unknown keys are dropped, wrong values too. */
export function parseGridSearch({ view: _other, ...raw }: Record<string, unknown>): GridSearch {
  return parseViewSearch(raw);
}

/** The same for a list with saved views. */
export function parseViewSearch(raw: Record<string, unknown>): ViewSearch {
  const search: ViewSearch = {};
  if (typeof raw.view === 'string' && raw.view) search.view = raw.view;
  // A query like ?q=12 arrives as a number.
  if (typeof raw.q === 'string' || typeof raw.q === 'number') {
    if (String(raw.q) !== '') search.q = String(raw.q);
  }
  const filter = typeof raw.filter === 'string' ? parseJson(raw.filter) : raw.filter;
  // In a view, no filter at all is something to say.
  if (isFilter(filter) && (search.view || Object.keys(filter).length > 0)) search.filter = filter;
  if (typeof raw.sort === 'string' && (parseSort(raw.sort).length > 0 || (search.view && raw.sort === UNSORTED))) search.sort = raw.sort;
  const page = Number(raw.page);
  if (Number.isInteger(page) && page > 1) search.page = page;
  const size = Number(raw.size);
  if ((PAGE_SIZES as readonly number[]).includes(size)) search.size = size;
  return search;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // A mangled link: the list opens unfiltered rather than not at all.
    return null;
  }
}

/** Search params after a change; anything but a page change goes back to page 1. */
export function patchSearch(search: ViewSearch, patch: Partial<GridState>, defaultSize: number, view: SavedView | null = null): ViewSearch {
  const next: ViewSearch = { ...search };
  if (patch.page === undefined) delete next.page;
  else next.page = patch.page > 1 ? patch.page : undefined;
  if (patch.q !== undefined) next.q = patch.q || undefined;
  if (patch.filter !== undefined) next.filter = sameFilter(patch.filter, view?.filter) ? undefined : (patch.filter ?? {});
  if (patch.sort !== undefined) next.sort = formatSort(patch.sort) === (view?.sort ?? []).join(',') ? undefined : formatSort(patch.sort) || UNSORTED;
  if (patch.size !== undefined) next.size = patch.size === defaultSize ? undefined : patch.size;
  return next;
}

/** What a list shows: what the address says, and for the rest what its view says. */
export function stateOf(search: ViewSearch, view: SavedView | null, size: number): GridState {
  const filter = search.filter ?? view?.filter ?? null;
  return {
    q: search.q ?? '',
    filter: filter && Object.keys(filter).length > 0 ? filter : null,
    sort: parseSort(search.sort ?? view?.sort?.join(',')),
    page: search.page ?? 1,
    size: search.size ?? size,
  };
}

type Change = (patch: Partial<GridState>) => void;

/**
 * The list's state, read from and written to the current route's search params.
 * `key` is the list's preference key: it holds the user's own page size and default view.
 * With `views` the list may be in a saved view.
 */
export function useGridState(key: string, { views: on = false } = {}): [GridState, Change, GridViews] {
  const raw: Record<string, unknown> = useSearch({ strict: false });
  const navigate = useNavigate();
  const [{ size: preferred = DEFAULT_SIZE, view: standard }] = useGridPreference(key);
  const parse = on ? parseViewSearch : parseGridSearch;
  const search = useMemo<ViewSearch>(() => parse(raw), [raw, parse]);
  const wanted = on && search.view !== NO_VIEW ? search.view : undefined;
  // Most lists are in no view: theirs are asked for when the menu opens.
  const { data: all, isError } = useViews(key, on && (wanted !== undefined || standard !== undefined));
  const active = all?.find((view) => view.id === wanted) ?? null;
  const state = useMemo(() => stateOf(search, active, preferred), [search, active, preferred]);
  const change = useCallback<Change>(
    (patch) => {
      void navigate({
        to: '.',
        search: (previous: Record<string, unknown>) => ({ ...previous, ...blank, ...patchSearch(parse(previous), patch, preferred, active) }),
        // Typing in the search field must not fill the history.
        replace: patch.q !== undefined,
      });
    },
    [navigate, preferred, active, parse],
  );
  const toView = useCallback(
    (view: string | undefined, replace: boolean) =>
      void navigate({ to: '.', search: (previous: Record<string, unknown>) => ({ ...previous, ...blank, size: search.size, view }), replace }),
    [navigate, search.size],
  );
  // A bare address opens the user's own default; it says so, and means the same to everybody.
  const isBare = on && Object.keys(search).every((name) => name === 'size');
  const opens = isBare && standard !== undefined && all?.some((view) => view.id === standard);
  useEffect(() => {
    if (opens) toView(standard, true);
  }, [opens, standard, toView]);

  const views = useMemo<GridViews>(
    () => ({
      all: all ?? [],
      active,
      standard,
      missing: wanted !== undefined && all !== undefined && active === null,
      modified: active !== null && (search.filter !== undefined || search.sort !== undefined),
      waiting: opens === true || (all === undefined && !isError && (wanted !== undefined || (isBare && standard !== undefined))),
      choose: (id) => toView(id ?? (standard === undefined ? undefined : NO_VIEW), false),
    }),
    [all, active, standard, wanted, search, opens, isError, isBare, toView],
  );
  return [state, change, views];
}

const blank: GridSearch = { q: undefined, filter: undefined, sort: undefined, page: undefined, size: undefined };
