/** Input that is not saved yet: kept in this browser, so that it outlives a reload and a crash. */
import { boot } from './boot';
import { readStored, removeStored, storedKeys, writeStored } from './storage';

export interface Draft {
  /** Milliseconds since 1970 of the last change. */
  at: number;
  /** What was typed, by field. */
  values: Record<string, unknown>;
  /** What those fields were before. */
  before: Record<string, unknown>;
  /** Version of the record they belong to; none for a new one. */
  etag?: string | undefined;
}

const PREFIX = `atoll.draft.${boot.app}.`;
const KEPT_MS = 30 * 24 * 3_600_000;

/** One person's form of one record; `place` names the record, or where a new one is made. */
export const draftKey = (user: string | number, collection: string, place: string): string => `${PREFIX}${user}.${collection}.${place}`;

export function readDraft(key: string): Draft | null {
  const text = readStored(key);
  if (!text) return null;
  const draft = JSON.parse(text) as Draft;
  if (Date.now() - draft.at < KEPT_MS) return draft;
  removeStored(key);
  return null;
}

export function writeDraft(key: string, draft: Draft): void {
  writeStored(key, JSON.stringify(draft));
}

export const removeDraft = removeStored;

/** All of this app, when the person leaves: the next one at this browser must not find them. */
export function removeDrafts(): void {
  storedKeys(PREFIX).forEach(removeStored);
}
