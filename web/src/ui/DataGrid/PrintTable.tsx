import { useEffect } from 'react';
import { createPortal } from 'react-dom';
import { orderedColumns } from './HeaderRow';
import classes from './PrintTable.module.css';
import { cellText, type GridColumn } from './types';
import type { GridLayout } from './useGridTable';

interface Props<Row> {
  title: string;
  /** Which rows these are. */
  range: string;
  columns: GridColumn<Row>[];
  layout: GridLayout;
  rows: Row[];
  rowId: (row: Row) => string;
  onDone: () => void;
}

/** The rows and columns that are shown, as a plain table on paper; opens the browser's print dialog. */
export function PrintTable<Row>({ title, range, columns, layout, rows, rowId, onDone }: Props<Row>) {
  useEffect(() => {
    window.addEventListener('afterprint', onDone);
    // Drawn first: the dialog stops the page.
    const frame = requestAnimationFrame(() => window.print());
    return () => {
      cancelAnimationFrame(frame);
      window.removeEventListener('afterprint', onDone);
    };
  }, [onDone]);
  const byId = new Map(columns.map((column) => [column.id, column]));
  const shown = orderedColumns(layout).flatMap((leaf) => byId.get(leaf.id) ?? []);
  return createPortal(
    <div className={classes.paper} data-print>
      <table className={classes.table}>
        <caption>
          <strong>{title}</strong> {range}
        </caption>
        <thead>
          <tr>
            {shown.map((column) => (
              <th key={column.id} scope="col" data-align={column.align}>
                {column.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={rowId(row)}>
              {shown.map((column) => (
                <td key={column.id} data-align={column.align}>
                  {cellText(column, row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>,
    document.body,
  );
}
