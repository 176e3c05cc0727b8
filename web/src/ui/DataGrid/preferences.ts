/** The look of a list as its user left it; kept on the server, so that it is the same on every device. */
import { useCallback } from 'react';
import { getPreference, setPreference, usePreference } from '../../app/preferences';
import type { Density } from './types';

/** What a user chose for one list. Everything is optional: absent means the default. */
export interface GridPreference {
  order?: string[];
  visible?: Record<string, boolean>;
  widths?: Record<string, number>;
  pins?: { start: string[]; end: string[] };
  density?: Density;
  size?: number;
  /** Id of the saved view the list opens in. */
  view?: string;
}

const NOTHING: GridPreference = {};
export const preferenceKey = (gridKey: string) => `list.${gridKey}`;

function asPreference(value: unknown): GridPreference {
  return value && typeof value === 'object' && !Array.isArray(value) ? (value as GridPreference) : NOTHING;
}

/** What is chosen for a list, and how to change it; an empty result goes back to the default. */
export function useGridPreference(gridKey: string): [GridPreference, (change: (old: GridPreference) => GridPreference) => void] {
  const key = preferenceKey(gridKey);
  const [value] = usePreference(key);
  const change = useCallback(
    (update: (old: GridPreference) => GridPreference) => {
      // Read here, not when the component was drawn: several changes may follow each other at once.
      const next = update(asPreference(getPreference(key)));
      setPreference(key, Object.keys(next).length === 0 ? undefined : next);
    },
    [key],
  );
  return [asPreference(value), change];
}
