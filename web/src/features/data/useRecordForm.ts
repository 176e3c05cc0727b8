/** State of a record's form: values, what is wrong with them, what others have changed, and saving. */
import { useEffect, useMemo, useRef, useState } from 'react';
import { api, type Key } from '../../app/api';
import { draftKey, readDraft, removeDraft } from '../../app/drafts';
import { ApiError } from '../../app/errors';
import { queryClient } from '../../app/queries';
import type { FieldMeta } from '../../fields';
import { fieldProblem } from './fieldProblem';
import { mapErrors } from './formErrors';
import { etagOf, formFields, type CollectionMeta, type RecordRow } from './model';
import { changeRecord, recordQuery } from './queries';
import { changedValues, mergedValues, othersChanges, sameValue, type FieldChange } from './recordChanges';
import { useDraft } from './useDraft';

/** What somebody else has changed in the record while this form was open. */
export interface FormConflict {
  changes: FieldChange[];
  /** The record as it is now. */
  record: RecordRow;
}

export interface RecordForm {
  fields: FieldMeta[];
  values: RecordRow;
  errors: Record<string, string>;
  /** An error that belongs to no field. */
  problem: Error | null;
  dirty: boolean;
  saving: boolean;
  /** Counts the saves that failed. */
  failures: number;
  /** Counts how often all values were replaced: inputs begin anew. */
  round: number;
  /** Since when the input that was found is not saved, in milliseconds; null when none was found. */
  restoredAt: number | null;
  /** Shown until the form has taken it over with `merge`. */
  conflict: FormConflict | null;
  /** A save was refused because of it. */
  isRefused: boolean;
  set: (name: string, value: unknown) => void;
  /** Checks one field, when it is left. */
  check: (name: string) => void;
  /** The saved record, or null when something is wrong (shown in the form). */
  save: () => Promise<RecordRow | null>;
  /** Takes over what others have changed; fields that `yielded` names lose their own input. Saves when asked to. */
  merge: (yielded: ReadonlySet<string>, andSave: boolean) => Promise<RecordRow | null>;
  /** Back to the form after a save that was refused. */
  keepEditing: () => void;
  /** Gives up all input. */
  discard: () => void;
  /** Starts over with empty fields, for "save and add another". */
  reset: () => void;
}

function initialValues(fields: FieldMeta[], record: RecordRow | null): RecordRow {
  return Object.fromEntries(fields.map((field) => [field.name, record ? record[field.name] : (field.defaultValue ?? null)]));
}

/** Where a record is made: linked to another one, whose fields here need no input. */
export interface FormPlace {
  /** `orders/5/lines` */
  resource: string;
  without: string[];
}

/** What the form started with, and the version of the record that this is. */
interface Base {
  initial: RecordRow;
  etag: string | undefined;
}

interface FormOptions {
  collection: CollectionMeta;
  /** Null for a new one. */
  record: RecordRow | null;
  recordKey: Key | null;
  place: FormPlace | undefined;
  /** Whose input it is. */
  user: number;
}

export function useRecordForm({ collection, record, recordKey: key, place, user }: FormOptions): RecordForm {
  const fields = useMemo(
    () => formFields(collection, key === null).filter((field) => !place?.without.includes(field.name)),
    [collection, key, place],
  );
  const keptAs = draftKey(user, collection.name, key === null ? `new:${place?.resource ?? ''}` : `at:${key}`);
  const [restored, setRestored] = useState(() => readDraft(keptAs));
  // Input goes on from where it began, so that what others did since then is seen.
  const [base, setBase] = useState<Base>(() => ({
    initial: { ...initialValues(fields, record), ...restored?.before },
    etag: restored ? restored.etag : record ? etagOf(record) : undefined,
  }));
  const [values, setValues] = useState<RecordRow>(() => ({ ...base.initial, ...restored?.values }));
  const [errors, setErrors] = useState<Record<string, string>>({});
  const [problem, setProblem] = useState<Error | null>(null);
  const [saving, setSaving] = useState(false);
  const [failures, setFailures] = useState(0);
  const [round, setRound] = useState(0);
  const [refused, setRefused] = useState<RecordRow | null>(null);
  const dirty = fields.some((field) => !sameValue(field, values[field.name], base.initial[field.name]));
  useDraft({ storageKey: keptAs, fields, ...base, values });

  const seen = useRef(new Set<string | undefined>());
  seen.current.add(base.etag);
  // What was read again after a save of this form is no news.
  const newer = refused ?? (record && key !== null && !seen.current.has(etagOf(record)) ? record : null);
  const conflict = useMemo(
    () => (newer ? { changes: othersChanges(fields, base.initial, values, newer), record: newer } : null),
    [fields, base, values, newer],
  );
  const isInvisible = conflict !== null && refused === null && conflict.changes.length === 0;
  useEffect(() => {
    // Nothing of this form: it simply goes on from there.
    if (isInvisible && newer) setBase((old) => ({ ...old, etag: etagOf(newer) }));
  }, [isInvisible, newer]);

  const set = (name: string, value: unknown) => {
    setValues((old) => ({ ...old, [name]: value }));
    setErrors(({ [name]: _gone, ...rest }) => rest);
  };
  const check = (name: string) => {
    const field = fields.find((candidate) => candidate.name === name);
    const message = field && fieldProblem(field, values[name]);
    if (message) setErrors((old) => ({ ...old, [name]: message }));
  };
  /** Takes the record as it is now when nothing of it is in question; else shows the question. */
  const stale = async (sent: Base, input: RecordRow): Promise<RecordRow | null> => {
    const now = await queryClient.fetchQuery({ ...recordQuery(collection, key ?? ''), staleTime: 0 });
    if (now && othersChanges(fields, sent.initial, input, now).length === 0) {
      return send({ initial: { ...sent.initial, ...initialValues(fields, now) }, etag: etagOf(now) }, mergedValues(fields, sent.initial, input, now, NONE));
    }
    setRefused(now);
    return null;
  };
  const send = async (from: Base, input: RecordRow): Promise<RecordRow | null> => {
    const found = fields.flatMap((field) => {
      const message = fieldProblem(field, input[field.name]);
      return message ? [[field.name, message] as const] : [];
    });
    setErrors(Object.fromEntries(found));
    setProblem(null);
    if (found.length > 0) {
      setFailures((old) => old + 1);
      return null;
    }
    setSaving(true);
    try {
      const body = changedValues(fields, input, from.initial, key === null);
      const saved =
        key === null
          ? await api.resource<RecordRow>(place?.resource ?? collection.name).create(body)
          : await changeRecord(collection.name, key, body, from.etag);
      setBase({ initial: input, etag: etagOf(saved) });
      setValues(input);
      setRestored(null);
      removeDraft(keptAs);
      return saved;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.isStale) return await stale(from, input);
      const mapped = mapErrors(error, fields);
      setErrors(mapped.fields);
      setFailures((old) => old + 1);
      if (mapped.rest.length > 0) setProblem(new ApiError(error.status, mapped.rest, error));
      return null;
    } finally {
      setSaving(false);
    }
  };
  const merge = async (yielded: ReadonlySet<string>, andSave: boolean): Promise<RecordRow | null> => {
    if (!newer) return null;
    const merged = mergedValues(fields, base.initial, values, newer, yielded);
    const onTop = { initial: initialValues(fields, newer), etag: etagOf(newer) };
    setRefused(null);
    setBase(onTop);
    setValues(merged);
    setRound((old) => old + 1);
    return andSave ? send(onTop, merged) : null;
  };
  const start = (from: RecordRow | null) => {
    const initial = initialValues(fields, from);
    setBase({ initial, etag: from ? etagOf(from) : undefined });
    setValues(initial);
    setErrors({});
    setProblem(null);
    setRestored(null);
    setRefused(null);
    setRound((old) => old + 1);
    removeDraft(keptAs);
  };
  return {
    fields, values, errors, problem, dirty, saving, failures, round,
    restoredAt: restored?.at ?? null,
    conflict: isInvisible ? null : conflict,
    isRefused: refused !== null,
    set, check,
    save: () => send(base, values),
    merge,
    keepEditing: () => setRefused(null),
    discard: () => start(newer ?? record),
    reset: () => start(null),
  };
}

const NONE: ReadonlySet<string> = new Set();
