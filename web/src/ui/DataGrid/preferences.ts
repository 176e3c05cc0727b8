/**
 * Where the look of a list is kept for a user. The browser's storage for now;
 * a server-side store replaces these two functions and nothing else.
 */
import { readStored, removeStored, writeStored } from '../../app/storage';
import type { Density } from './types';

/** What a user chose for one list. Everything is optional: absent means the default. */
export interface GridPreference {
  order?: string[];
  visible?: Record<string, boolean>;
  widths?: Record<string, number>;
  pins?: { start: string[]; end: string[] };
  density?: Density;
  size?: number;
}

const PREFIX = 'atoll.grid.';

/** `key` holds everything that separates lists: app, user and the list's own id. */
export function readGridPreference(key: string): GridPreference {
  const text = readStored(PREFIX + key);
  if (!text) return {};
  try {
    const value: unknown = JSON.parse(text);
    return value && typeof value === 'object' && !Array.isArray(value) ? (value as GridPreference) : {};
  } catch {
    // Somebody else wrote this key; the defaults are a good list too.
    return {};
  }
}

export function writeGridPreference(key: string, value: GridPreference): void {
  if (Object.keys(value).length === 0) removeStored(PREFIX + key);
  else writeStored(PREFIX + key, JSON.stringify(value));
}
