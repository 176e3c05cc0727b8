/** What differs between a record as it was, as it was typed, and as somebody else has left it meanwhile. */
import { InvalidInput, interfaceOf, isEmptyValue, type FieldMeta } from '../../fields';
import type { RecordRow } from './model';

/** A value as it compares: linked records by what they are linked with, and in no order. */
function comparable(field: FieldMeta, value: unknown): string {
  const key = field.related?.key;
  const keyOf = (item: unknown): unknown => (typeof item === 'object' && item !== null && key ? (item as RecordRow)[key] : item);
  if (value instanceof InvalidInput || !interfaceOf(field).relation) return JSON.stringify(isEmptyValue(value) ? null : value);
  if (!Array.isArray(value)) return JSON.stringify(keyOf(value) ?? null);
  const keys = value.map((item) => JSON.stringify(keyOf(item)));
  return JSON.stringify(isList(field) ? keys : keys.sort());
}

/** A list of keys in the record itself: its order counts, and it is sent as a whole. */
const isList = (field: FieldMeta) => field.type === 'belongsToArray';

/** Links to many that are kept elsewhere: single ones are added and removed. */
const isLinks = (field: FieldMeta) => interfaceOf(field).relation === 'many' && !isList(field);

export const sameValue = (field: FieldMeta, a: unknown, b: unknown): boolean => comparable(field, a) === comparable(field, b);

/** Keys that are in one list of linked records and not in the other. */
function without(field: FieldMeta, list: unknown, other: unknown): unknown[] {
  const keyOf = (item: unknown) => (typeof item === 'object' && item !== null ? (item as RecordRow)[field.related?.key ?? ''] : item);
  const keys = (value: unknown) => (Array.isArray(value) ? value.map(keyOf) : []);
  const there = new Set(keys(other).map(String));
  return keys(list).filter((key) => !there.has(String(key)));
}

/** What to send: a new record leaves empty fields to the server's defaults, links to many go one by one. */
export function changedValues(fields: FieldMeta[], values: RecordRow, initial: RecordRow, isNew: boolean): RecordRow {
  const changed = fields.filter((field) => (isNew ? !isEmptyValue(values[field.name]) : !sameValue(field, values[field.name], initial[field.name])));
  return Object.fromEntries(
    changed.map((field) => {
      const value = values[field.name];
      if (isNew || !isLinks(field)) return [field.name, isEmptyValue(value) ? null : value];
      return [field.name, { $add: without(field, value, initial[field.name]), $remove: without(field, initial[field.name], value) }];
    }),
  );
}

/** A field that somebody else has changed. */
export interface FieldChange {
  field: FieldMeta;
  before: unknown;
  theirs: unknown;
  mine: unknown;
  /** It was changed here too, to something else. */
  isContested: boolean;
}

export function othersChanges(fields: FieldMeta[], initial: RecordRow, values: RecordRow, theirs: RecordRow): FieldChange[] {
  return fields
    .filter((field) => !isLinks(field) && !sameValue(field, initial[field.name], theirs[field.name]))
    .map((field) => {
      const [before, mine, other] = [initial[field.name], values[field.name], theirs[field.name]];
      return { field, before, theirs: other, mine, isContested: !sameValue(field, mine, before) && !sameValue(field, mine, other) };
    });
}

/**
 * The values of a form on top of how the record is now: fields that were changed here keep their input, unless
 * `yielded` names them.
 */
export function mergedValues(fields: FieldMeta[], initial: RecordRow, values: RecordRow, theirs: RecordRow, yielded: ReadonlySet<string>): RecordRow {
  return Object.fromEntries(
    fields.map((field) => {
      const { name } = field;
      if (sameValue(field, values[name], initial[name]) || yielded.has(name)) return [name, theirs[name]];
      return [name, isLinks(field) ? mergedLinks(field, initial[name], values[name], theirs[name]) : values[name]];
    }),
  );
}

/** What was added and removed here, done to their list. */
function mergedLinks(field: FieldMeta, initial: unknown, mine: unknown, theirs: unknown): unknown[] {
  const items = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
  const key = field.related?.key ?? '';
  const keyOf = (item: unknown) => String(typeof item === 'object' && item !== null ? (item as RecordRow)[key] : item);
  const removed = new Set(without(field, initial, mine).map(String));
  const added = new Set([...without(field, mine, initial)].map(String));
  const there = new Set(items(theirs).map(keyOf));
  return [...items(theirs).filter((item) => !removed.has(keyOf(item))), ...items(mine).filter((item) => added.has(keyOf(item)) && !there.has(keyOf(item)))];
}
