/** Width, pin offset and classes a header cell and the cells below it share. */
import type { CSSProperties } from 'react';
import classes from './DataGrid.module.css';
import type { GridTable, TableColumn } from './useGridTable';
import { ACTIONS_ID, SELECT_ID } from './types';

export const isOwn = (id: string) => id === SELECT_ID || id === ACTIONS_ID;

/** The last movable column takes the space that is left over. */
export function growingColumn(table: GridTable): string | undefined {
  return table.getPinnedVisibleLeafColumns('center').at(-1)?.id;
}

export function cellStyle(column: TableColumn): CSSProperties {
  const style: CSSProperties = { width: column.getSize() };
  const pinned = column.getIsPinned();
  if (pinned === 'start') style.insetInlineStart = column.getStart('start');
  if (pinned === 'end') style.insetInlineEnd = column.getAfter('end');
  return style;
}

export function cellClasses(column: TableColumn, grows: boolean, align: 'start' | 'end' | undefined): string {
  const pinned = column.getIsPinned();
  return [
    pinned && classes.pinned,
    pinned === 'start' && column.getIsLastColumn('start') && classes.lastStart,
    pinned === 'end' && column.getIsFirstColumn('end') && classes.firstEnd,
    grows && classes.grow,
    align === 'end' && classes.end,
    isOwn(column.id) && classes.own,
  ]
    .filter(Boolean)
    .join(' ');
}
