import { useEffect, useMemo, useRef, useSyncExternalStore } from 'react';
import { useTranslation } from 'react-i18next';
import { errorText } from '../errorText';
import { CellEdits, type Changes } from './cellEdits';
import type { GridColumn, GridEditing } from './types';

interface Options<Row> {
  columns: GridColumn<Row>[];
  rowId: (row: Row) => string;
  editing: GridEditing<Row> | undefined;
  /** A cell could not be saved: said to those who do not see it. */
  onFailed: (text: string) => void;
  onSaved: (rowId: string) => void;
}

export interface CellEditsState<Row> {
  edits: CellEdits<Row>;
  changes: Changes<Row>;
}

/** The changed cells of a list; null when its cells are not edited. */
export function useCellEdits<Row>(options: Options<Row>): CellEditsState<Row> | null {
  const { t } = useTranslation(['grid', 'ui']);
  const latest = useRef(options);
  const translate = useRef(t);
  useEffect(() => {
    latest.current = options;
    translate.current = t;
  });
  const edits = useMemo(
    () =>
      new CellEdits<Row>(() => {
        const { columns, rowId, editing, onFailed, onSaved } = latest.current;
        return {
          rowId,
          column: (id) => columns.find((column) => column.id === id),
          editing: editing ?? { save: () => Promise.reject(new Error('the cells of this list are not edited')) },
          describe: (error) => errorText(error instanceof Error ? error : new Error(String(error)), translate.current),
          onFailed: (column, reason) => onFailed(translate.current('edits.failed', { title: column.title, reason })),
          onSaved,
        };
      }),
    [],
  );
  const changes = useSyncExternalStore(edits.changes.subscribe, edits.changes.get);
  return useMemo(() => (options.editing ? { edits, changes } : null), [edits, changes, options.editing]);
}
