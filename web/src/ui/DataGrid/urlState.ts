/** A list's state in the URL: `?q=&filter=&sort=-createdAt,name&page=2&size=50`. */
import { useCallback, useMemo } from 'react';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { isFilter, type Filter } from '../FilterBuilder/grammar';
import { useGridPreference } from './preferences';
import { DEFAULT_SIZE, PAGE_SIZES, type GridState, type SortKey } from './types';

/** Search params of a list screen; defaults are left out. Use `parseGridSearch` as the route's `validateSearch`. */
export interface GridSearch {
  q?: string;
  filter?: Filter;
  sort?: string;
  page?: number;
  size?: number;
}

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
export function parseGridSearch(raw: Record<string, unknown>): GridSearch {
  const search: GridSearch = {};
  // A query like ?q=12 arrives as a number.
  if (typeof raw.q === 'string' || typeof raw.q === 'number') {
    if (String(raw.q) !== '') search.q = String(raw.q);
  }
  const filter = typeof raw.filter === 'string' ? parseJson(raw.filter) : raw.filter;
  if (isFilter(filter) && Object.keys(filter).length > 0) search.filter = filter;
  if (typeof raw.sort === 'string' && parseSort(raw.sort).length > 0) search.sort = raw.sort;
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
export function patchSearch(search: GridSearch, patch: Partial<GridState>, defaultSize: number): GridSearch {
  const next: GridSearch = { ...search };
  if (patch.page === undefined) delete next.page;
  else next.page = patch.page > 1 ? patch.page : undefined;
  if (patch.q !== undefined) next.q = patch.q || undefined;
  if (patch.filter !== undefined) next.filter = patch.filter ?? undefined;
  if (patch.sort !== undefined) next.sort = formatSort(patch.sort) || undefined;
  if (patch.size !== undefined) next.size = patch.size === defaultSize ? undefined : patch.size;
  return next;
}

/**
 * The list's state, read from and written to the current route's search params.
 * `key` is the list's preference key: it holds the user's own page size.
 */
export function useGridState(key: string): [GridState, (patch: Partial<GridState>) => void] {
  const raw: Record<string, unknown> = useSearch({ strict: false });
  const navigate = useNavigate();
  const [{ size: preferred = DEFAULT_SIZE }] = useGridPreference(key);
  const state = useMemo<GridState>(() => {
    const search = parseGridSearch(raw);
    return {
      q: search.q ?? '',
      filter: search.filter ?? null,
      sort: parseSort(search.sort),
      page: search.page ?? 1,
      size: search.size ?? preferred,
    };
  }, [raw, preferred]);
  const change = useCallback(
    (patch: Partial<GridState>) => {
      void navigate({
        to: '.',
        search: (previous: Record<string, unknown>) => ({ ...previous, ...blank, ...patchSearch(parseGridSearch(previous), patch, preferred) }),
        // Typing in the search field must not fill the history.
        replace: patch.q !== undefined,
      });
    },
    [navigate, preferred],
  );
  return [state, change];
}

const blank: GridSearch = { q: undefined, filter: undefined, sort: undefined, page: undefined, size: undefined };
