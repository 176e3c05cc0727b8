/** In which time zone moments are shown and typed: the chosen one, else that of this computer. */
import dayjs from 'dayjs';
import timezone from 'dayjs/plugin/timezone';
import utc from 'dayjs/plugin/utc';
import { useSyncExternalStore } from 'react';

import { Watched } from './events';

dayjs.extend(utc);
dayjs.extend(timezone);

export const ownZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone;

/** The names the browser knows, in their order. */
export const allZones = (): string[] => Intl.supportedValuesOf('timeZone');

export const isZone = (name: unknown): name is string => {
  if (typeof name !== 'string' || name === '') return false;
  try {
    return Boolean(new Intl.DateTimeFormat('en-US', { timeZone: name }));
  } catch (error) {
    // A name this browser does not know: it comes from another one, or is no zone.
    if (error instanceof RangeError) return false;
    throw error;
  }
};

const chosen = new Watched<string | null>(null);

export const zone = {
  /** Null goes back to that of this computer; a name this browser does not know does too. */
  choose: (name: unknown): void => chosen.set(isZone(name) ? name : null),
  get: (): string => chosen.get() ?? ownZone(),
  subscribe: chosen.subscribe,
};

export function useZone(): string {
  return useSyncExternalStore(zone.subscribe, zone.get);
}

/** `±HH:mm` of a zone at a moment, as the server expects it. */
export function offsetOf(name: string, at: Date = new Date()): string {
  return dayjs(at).tz(name).format('Z');
}
