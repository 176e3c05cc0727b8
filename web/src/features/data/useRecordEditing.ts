/** Saving from the cells of a record list; what somebody else has changed meanwhile is not overwritten unasked. */
import { useQueryClient } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { ApiError } from '../../app/errors';
import type { GridEditing, GridPage } from '../../ui/DataGrid';
import { CellVersions, StaleCells } from './cellVersions';
import { mapErrors } from './formErrors';
import { editableFields, type CollectionMeta, type RecordRow } from './model';
import { recordsKey } from './queries';

export function useRecordEditing(collection: CollectionMeta, rowId: (row: RecordRow) => string): GridEditing<RecordRow> {
  const client = useQueryClient();
  const [versions] = useState(() => new CellVersions());
  return useMemo(
    () => ({
      save: async (row, values) => {
        const id = rowId(row);
        const show = async (record: RecordRow) => {
          // In place, without asking for the list again: rows must not move under the hands of who edits them.
          client.setQueriesData<GridPage<RecordRow>>({ queryKey: recordsKey(collection.name) }, (page) => page && patched(page, rowId, id, record));
          await client.invalidateQueries({ queryKey: ['record', collection.name, id] });
        };
        await show(await versions.save(collection, id, row, values, show));
      },
      explain: (error) => {
        if (error instanceof StaleCells) return error.reasons;
        return error instanceof ApiError ? mapErrors(error, editableFields(collection)).fields : {};
      },
    }),
    [client, collection, rowId, versions],
  );
}

/** The page with new values in one row; what a list asks for on top (names of people) stays. */
export function patched(page: GridPage<RecordRow>, rowId: (row: RecordRow) => string, id: string, values: RecordRow): GridPage<RecordRow> {
  return { ...page, rows: page.rows.map((row) => (rowId(row) === id ? { ...row, ...values } : row)) };
}
