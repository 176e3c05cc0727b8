/** Keeps the input of a record's form until it is saved or given up. */
import { useEffect, useRef } from 'react';
import { removeDraft, writeDraft, type Draft } from '../../app/drafts';
import { InvalidInput, type FieldMeta } from '../../fields';
import type { RecordRow } from './model';
import { sameValue } from './recordChanges';

const WRITE_DELAY_MS = 1_000;

interface Options {
  storageKey: string;
  fields: FieldMeta[];
  initial: RecordRow;
  values: RecordRow;
  etag: string | undefined;
}

/** Writes what differs from `initial` a moment after the last change, and at once when the page goes away. */
export function useDraft({ storageKey, fields, initial, values, etag }: Options): void {
  const changed = fields.filter((field) => !(values[field.name] instanceof InvalidInput) && !sameValue(field, values[field.name], initial[field.name]));
  const pick = (from: RecordRow) => Object.fromEntries(changed.map(({ name }) => [name, from[name] ?? null]));
  const text = JSON.stringify({ values: pick(values), before: pick(initial), etag });
  const written = useRef(text);
  useEffect(() => {
    if (written.current === text) return undefined;
    const write = () => {
      if (written.current === text) return;
      written.current = text;
      const draft = JSON.parse(text) as Omit<Draft, 'at'>;
      if (Object.keys(draft.values).length === 0) removeDraft(storageKey);
      else writeDraft(storageKey, { at: Date.now(), ...draft });
    };
    const timer = window.setTimeout(write, WRITE_DELAY_MS);
    window.addEventListener('pagehide', write);
    return () => {
      window.clearTimeout(timer);
      window.removeEventListener('pagehide', write);
    };
  }, [storageKey, text]);
}
