/** Which version of a record a change in a cell rests on. */
import i18next from 'i18next';
import { ApiError } from '../../app/errors';
import { interfaceOf, type FieldMeta } from '../../fields';
import { etagOf, fieldsOf, withEtag, type CollectionMeta, type RecordRow } from './model';
import { changeRecord } from './queries';

/** Cells that somebody else has changed meanwhile, with what to say about each. */
export class StaleCells extends Error {
  constructor(readonly reasons: Record<string, string>) {
    super(Object.values(reasons)[0] ?? '');
  }
}

interface Successor {
  etag: string | undefined;
  record: RecordRow;
}

/** Rows keep the version they had when they were read; this knows what has become of it through this list. */
export class CellVersions {
  private readonly next = new Map<string, Successor>();

  /**
   * Saves values of one row. Changes of others to other fields do not matter; those to the same raise StaleCells,
   * and are shown first: who saves again knows them and overwrites.
   */
  async save(
    collection: CollectionMeta, id: string, row: RecordRow, values: RecordRow, show: (record: RecordRow) => Promise<void>,
  ): Promise<RecordRow> {
    const known = this.latest(row);
    try {
      const saved = await changeRecord(collection.name, id, values, known.etag);
      this.follow(known.etag, saved);
      return saved;
    } catch (error) {
      if (!(error instanceof ApiError) || !error.isStale) throw error;
      const theirs = withEtag(error.data as RecordRow, error.etag ?? undefined);
      this.follow(known.etag, theirs);
      const reasons = staleReasons(collection, Object.keys(values), known.record, theirs);
      if (Object.keys(reasons).length === 0) return this.save(collection, id, row, values, show);
      await show(theirs);
      throw new StaleCells(reasons);
    }
  }

  private latest(row: RecordRow): Successor {
    let found: Successor = { etag: etagOf(row), record: row };
    for (;;) {
      const next = found.etag === undefined ? undefined : this.next.get(found.etag);
      if (!next || next.etag === found.etag) return found;
      found = { etag: next.etag, record: { ...found.record, ...next.record } };
    }
  }

  private follow(etag: string | undefined, record: RecordRow): void {
    const now = etagOf(record);
    if (etag === undefined || now === etag) return;
    this.next.set(etag, { etag: now, record });
    // A value that is set back gives a version that was there before: the way ends here, not in a circle.
    if (now !== undefined) this.next.delete(now);
  }
}

/** Of a relation the key: an answer without appended records tells only that. */
function valueOf(field: FieldMeta, row: RecordRow): unknown {
  const column = typeof field.foreignKey === 'string' && interfaceOf(field).relation ? field.foreignKey : field.name;
  return row[column] ?? null;
}

function staleReasons(collection: CollectionMeta, names: string[], before: RecordRow, now: RecordRow): Record<string, string> {
  const stale = names.flatMap((name) => {
    const field = fieldsOf(collection).find((each) => each.name === name);
    if (!field || JSON.stringify(valueOf(field, before)) === JSON.stringify(valueOf(field, now))) return [];
    const text = interfaceOf(field).relation ? '' : interfaceOf(field).text(now[name], field, i18next.language);
    return [[name, i18next.t(text ? 'conflict.cell' : 'conflict.cellEmpty', { ns: 'data', value: text })] as const];
  });
  return Object.fromEntries(stale);
}
