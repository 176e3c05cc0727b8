/** Saving from the cells of a record list. */
import { useQueryClient } from '@tanstack/react-query';
import i18next from 'i18next';
import { useMemo } from 'react';
import { api } from '../../app/api';
import { ApiError } from '../../app/errors';
import type { GridEditing, GridPage } from '../../ui/DataGrid';
import { mapErrors } from './formErrors';
import { editableFields, type CollectionMeta, type RecordRow } from './model';
import { recordsKey } from './queries';

export function useRecordEditing(collection: CollectionMeta, rowId: (row: RecordRow) => string): GridEditing<RecordRow> {
  const client = useQueryClient();
  return useMemo(
    () => ({
      save: async (row, values) => {
        const id = rowId(row);
        const answer: unknown = await api.resource<RecordRow>(collection.name).update(id, values);
        const saved = (Array.isArray(answer) ? answer[0] : answer) as RecordRow | undefined;
        if (!saved) throw new ApiError(404, [{ message: i18next.t('gone', { ns: 'data' }) }]);
        // In place, without asking for the list again: rows must not move under the hands of who edits them.
        client.setQueriesData<GridPage<RecordRow>>({ queryKey: recordsKey(collection.name) }, (page) => page && patched(page, rowId, id, saved));
        await client.invalidateQueries({ queryKey: ['record', collection.name, id] });
      },
      explain: (error) => (error instanceof ApiError ? mapErrors(error, editableFields(collection)).fields : {}),
    }),
    [client, collection, rowId],
  );
}

/** The page with new values in one row; what a list asks for on top (names of people) stays. */
export function patched(page: GridPage<RecordRow>, rowId: (row: RecordRow) => string, id: string, values: RecordRow): GridPage<RecordRow> {
  return { ...page, rows: page.rows.map((row) => (rowId(row) === id ? { ...row, ...values } : row)) };
}
