import { getPreference } from './preferences';

/** Whether the person switched single-letter keys off (WCAG 2.1.4). */
export function letterKeysOff(): boolean {
  return getPreference('letterKeysOff') === true;
}
