/**
 * What the signed-in person chose for the screens. The server keeps it, so that it is there on every device;
 * this browser remembers the last state, so that screens start with it.
 */
import { queryOptions, useQuery } from '@tanstack/react-query';
import { useCallback } from 'react';

import { toast } from '../ui/toasts';
import { api } from './api';
import { boot } from './boot';
import { ApiError } from './errors';
import { queryClient } from './queries';
import { session } from './session';
import { readStored, removeStored, writeStored } from './storage';
import { zone } from './zone';

type Values = Record<string, unknown>;

const CACHE_KEY = `atoll.preferences.${boot.app}`;
const SAVE_DELAY_MS = 800;
const TRY_AGAIN_MS = 5_000;

/** Changes that the server does not have yet; undefined goes back to the default. */
const unsaved = new Map<string, unknown>();
let timer: number | undefined;

function readCache(): Values | undefined {
  const text = readStored(CACHE_KEY);
  if (!text) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return value && typeof value === 'object' && !Array.isArray(value) ? (value as Values) : undefined;
  } catch {
    // Somebody else wrote this key; the server knows better anyway.
    return undefined;
  }
}

function withUnsaved(values: Values): Values {
  const merged = { ...values, ...Object.fromEntries(unsaved) };
  const kept = Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== undefined));
  writeStored(CACHE_KEY, JSON.stringify(kept));
  zone.choose(kept.timeZone);
  return kept;
}

export const preferencesQuery = queryOptions({
  queryKey: ['preferences'],
  queryFn: async () => {
    const rows = await api.call<{ key: string; value: unknown }[]>('userPreferences:list', { quiet: true });
    return withUnsaved(Object.fromEntries(rows.map(({ key, value }) => [key, value])));
  },
  placeholderData: readCache,
  staleTime: 60_000,
});

zone.choose(readCache()?.timeZone);

/** Before the first screen: waits for the server only when this browser remembers nothing. */
export async function loadPreferences(): Promise<void> {
  const loading = queryClient.ensureQueryData(preferencesQuery).catch(() => undefined);
  if (readCache() === undefined) await loading;
}

async function save(): Promise<void> {
  window.clearTimeout(timer);
  for (const [key, value] of [...unsaved]) {
    try {
      await api.call('userPreferences:set', { body: { key, value: value ?? null }, quiet: true });
    } catch (error) {
      // Without a connection it is tried again; what the server refuses, it would refuse again.
      if (error instanceof ApiError && error.offline) {
        timer = window.setTimeout(() => void save(), TRY_AGAIN_MS);
        return;
      }
      toast.error(error);
    }
    if (unsaved.get(key) === value) unsaved.delete(key);
  }
}

window.addEventListener('pagehide', () => {
  for (const [key, value] of unsaved) {
    // The page cannot wait for the answer; keepalive lets the request outlive it.
    void fetch(`${boot.api}userPreferences:set`, {
      method: 'POST',
      keepalive: true,
      headers: { 'Content-Type': 'application/json', ...(session.token ? { Authorization: `Bearer ${session.token}` } : {}) },
      body: JSON.stringify({ key, value: value ?? null }),
    });
  }
});
// The next person at this browser starts with their own.
session.changes.subscribe(() => {
  if (session.token !== null) return;
  unsaved.clear();
  removeStored(CACHE_KEY);
  zone.choose(null);
});

/** Keeps a value, or goes back to the default with undefined; sent a moment after the last change. */
export function setPreference(key: string, value: unknown): void {
  unsaved.set(key, value);
  queryClient.setQueryData(preferencesQuery.queryKey, (old: Values | undefined) => withUnsaved(old ?? readCache() ?? {}));
  window.clearTimeout(timer);
  timer = window.setTimeout(() => void save(), SAVE_DELAY_MS);
}

/** The value now, outside of components. */
export function getPreference(key: string): unknown {
  return (queryClient.getQueryData(preferencesQuery.queryKey) ?? readCache())?.[key];
}

/** One value and how to change it; undefined while it is the default. */
export function usePreference(key: string): [unknown, (value: unknown) => void] {
  const { data } = useQuery({ ...preferencesQuery, enabled: session.token !== null }, queryClient);
  const set = useCallback((value: unknown) => setPreference(key, value), [key]);
  return [data?.[key], set];
}
