import { getPreference, setPreference, usePreference } from '../../app/preferences';
import { MOST_PER_SECTION } from './paletteFilter';

/** Something that was reached through the palette: what it was called, and its path inside this app. */
export interface Recent {
  label: string;
  path: string;
}

const KEY = 'palette.recent';

function read(value: unknown): Recent[] {
  return Array.isArray(value)
    ? value.filter((each): each is Recent => typeof each?.label === 'string' && typeof each?.path === 'string')
    : [];
}

export function useRecent(): Recent[] {
  return read(usePreference(KEY)[0]);
}

export function rememberRecent(visited: Recent): void {
  const others = read(getPreference(KEY)).filter((each) => each.path !== visited.path);
  setPreference(KEY, [visited, ...others].slice(0, MOST_PER_SECTION));
}
