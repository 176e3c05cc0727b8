import type { KeyboardEvent } from 'react';
import type { TableViewProps } from './GridTableView';
import { SELECT_ID } from './types';
import type { CellEditor } from './useCellEditor';
import type { CellPosition } from './useGridKeyboard';

/** Keys that lead out of the list even where typing edits. */
const ALWAYS = new Set([' ', '/', '?']);

/** Keys that act on the cell, its row or the selection; true for those that were used. */
export function useRowKeys<Row extends object>(
  props: TableViewProps<Row>,
  editor: CellEditor,
  columnId: (at: CellPosition) => string | undefined,
): (event: KeyboardEvent, at: CellPosition) => boolean {
  const { rows, selection, cellEdits } = props;
  const withControl = (event: KeyboardEvent, row: Row | undefined): boolean => {
    switch (event.key.toLowerCase()) {
      case 'a':
        selection?.selectPage();
        return selection !== null;
      case 'z':
        return event.shiftKey ? (cellEdits?.edits.redo() ?? false) : (cellEdits?.edits.undo() ?? false);
      case 'y':
        return cellEdits?.edits.redo() ?? false;
      case 'enter':
        if (row) props.onOpen?.(row);
        return row !== undefined;
      default:
        return false;
    }
  };
  return (event, at) => {
    const row = rows[at.row];
    if (event.ctrlKey || event.metaKey) return withControl(event, row);
    if (event.altKey) return false;
    if (event.key === 'Enter' && event.shiftKey) {
      const link = (event.target as HTMLElement).querySelector<HTMLElement>('a[href]');
      link?.click();
      return link !== null;
    }
    if (event.key === ' ') {
      if (!selection) return false;
      if (at.row < 0 && columnId(at) === SELECT_ID) selection.togglePage();
      else if (row) selection.toggle(at.row, event.shiftKey);
      return true;
    }
    if (!row) return false;
    // An input method is about to compose: its text goes into the editor that opens now.
    if (event.key === 'Process') {
      editor.start(at, '');
      return false;
    }
    if (event.key.length === 1 && !ALWAYS.has(event.key) && editor.start(at, event.key)) return true;
    if (event.key === 'F2' && editor.start(at, null)) return true;
    if ((event.key === 'Backspace' || event.key === 'Delete') && props.onDelete) {
      props.onDelete(row);
      return true;
    }
    if ((event.key === 'e' || event.key === 'F2') && props.onEdit) {
      props.onEdit(row);
      return true;
    }
    if (event.key === 'o' && props.rowHref) {
      window.open(props.rowHref(row), '_blank', 'noopener');
      return true;
    }
    return false;
  };
}
