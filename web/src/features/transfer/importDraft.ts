/** What a person decides in the import wizard, step by step. */
import { api } from '../../app/api';
import { fieldTitle, type CollectionMeta } from '../data/model';
import { importTargets, matchColumns, rootOf, usualTargets } from './format';

export interface Layout {
  format: 'xlsx' | 'csv';
  sheet: string;
  sheets: string[];
  encoding: string;
  delimiter: string;
  headerRow: number;
}

/** What the server found in the file. */
export interface Inspection {
  upload: string;
  filename: string;
  layout: Layout;
  titles: string[];
  samples: string[][];
}

export type Mode = 'create' | 'update' | 'updateOrCreate';

export interface ImportDraft {
  inspection: Inspection;
  /** Path of the field for each column of the file (see ImportTarget), null for those left out. */
  fields: (string | null)[];
  mode: Mode;
  keys: string[];
  emptyCells: 'keep' | 'clear';
  onError: 'stop' | 'continue';
}

export function firstDraft(collection: CollectionMeta, others: CollectionMeta[], inspection: Inspection): ImportDraft {
  const targets = importTargets(collection, others);
  // "Customer" is found by name; "Customer code" may say otherwise.
  const usual = usualTargets(targets);
  const found = matchColumns(inspection.titles, [...usual, ...targets.filter((target) => !usual.includes(target) && target.by)]);
  const fields = found.map((path, index) => (path !== null && found.findIndex((other) => other !== null && rootOf(other) === rootOf(path)) < index ? null : path));
  return { inspection, fields, mode: 'create', keys: [], emptyCells: 'keep', onError: 'continue' };
}

export async function sendFile(collection: string, file: File): Promise<Inspection> {
  const form = new FormData();
  form.append('file', file, file.name);
  return api.call<Inspection>(`${collection}:inspectImport`, { body: form });
}

export async function lookAgain(collection: string, seen: Inspection, changes: Partial<Layout>): Promise<Inspection> {
  const { sheet, encoding, delimiter } = { ...seen.layout, ...changes };
  const params = { upload: seen.upload, filename: seen.filename, sheet, encoding, delimiter, headerRow: changes.headerRow };
  return api.call<Inspection>(`${collection}:inspectImport`, { method: 'POST', params });
}

/** Why the draft cannot be checked yet, as a key of the texts; null when it can. */
export function obstacle(draft: ImportDraft): string | null {
  const mapped = draft.fields.filter((name) => name !== null);
  if (mapped.length === 0) return 'map.nothing';
  if (draft.mode !== 'create' && draft.keys.filter((key) => mapped.includes(key)).length === 0) return 'map.noKey';
  return null;
}

/** The parameters of the task. */
export function requestOf(collection: CollectionMeta, draft: ImportDraft, dryRun: boolean): object {
  const { inspection, fields, mode, keys, emptyCells, onError } = draft;
  const titleOf = (path: string) => {
    const field = (collection.fields ?? []).find((each) => each.name === rootOf(path));
    return field ? fieldTitle(field) : path;
  };
  return {
    collection: collection.name,
    upload: inspection.upload,
    filename: inspection.filename,
    layout: inspection.layout,
    columns: fields.flatMap((field, index) => (field === null ? [] : [{ index, field, title: titleOf(field) }])),
    mode,
    keys: mode === 'create' ? [] : keys.filter((key) => fields.includes(key)),
    emptyCells,
    onError,
    dryRun,
  };
}
