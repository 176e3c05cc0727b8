/** Which cell is being edited, and where the focus goes afterwards. */
import { useRef, useState } from 'react';
import { connection } from '../../app/connection';
import { InvalidInput } from '../../fields/types';
import { sayOffline } from '../toasts';
import type { CellEdits } from './cellEdits';
import { fromTsv } from './clipboard';
import type { GridColumn } from './types';
import type { CellPosition } from './useGridKeyboard';

/** Where the focus goes when an editor is done: to its cell, to an editor beside it, or where it went by itself. */
export type EditorExit = 'stay' | 'next' | 'previous' | 'left';

export interface OpenEditor {
  at: CellPosition;
  /** What was typed to begin with; null to edit the value that is there. */
  typed: string | null;
}

interface Options<Row> {
  edits: CellEdits<Row> | null;
  rows: Row[];
  rowId: (row: Row) => string;
  /** The columns from left to right; undefined for those of the grid itself. */
  columns: (GridColumn<Row> | undefined)[];
  focusCell: (to: CellPosition) => void;
}

export interface PasteResult {
  /** Cells that took a value. */
  taken: number;
  /** Cells that are not edited. */
  skipped: number;
  /** Lines below the last row. */
  beyond: number;
}

export interface CellEditor {
  open: OpenEditor | null;
  canEdit: (at: CellPosition) => boolean;
  /** Opens the editor, or turns a yes/no over. False when the cell is not edited. */
  start: (at: CellPosition, typed: string | null) => boolean;
  /** Takes the value; `undefined` leaves the cell as it was. */
  finish: (value: unknown, exit: EditorExit) => void;
  paste: (at: CellPosition, text: string) => PasteResult;
}

export function useCellEditor<Row>({ edits, rows, rowId, columns, focusCell }: Options<Row>): CellEditor {
  const [open, setOpen] = useState<OpenEditor | null>(null);
  // The row as it was when its editor opened: what others change meanwhile is a conflict, and rows may move.
  const row = useRef<Row | undefined>(undefined);
  const openAt = (at: CellPosition, typed: string | null) => {
    row.current = rows[at.row];
    setOpen({ at, typed });
  };
  const editOf = (at: CellPosition) => (edits && rows[at.row] !== undefined ? columns[at.column]?.edit : undefined);
  const canEdit = (at: CellPosition) => editOf(at) !== undefined;

  const start = (at: CellPosition, typed: string | null): boolean => {
    const edit = editOf(at);
    const here = rows[at.row];
    const id = columns[at.column]?.id;
    if (!edit || !edits || here === undefined || id === undefined) return false;
    if (!connection.online.get()) {
      sayOffline();
      return true;
    }
    if (edit.look === 'toggle') {
      if (typed !== null) return false;
      void edits.change(here, { [id]: edit.value(here) !== true });
      return true;
    }
    // What is typed would be lost on a list of choices, and a date has parts of its own.
    if (typed !== null && (edit.look === 'choice' || (edit.inputType ?? 'text') !== 'text')) return false;
    openAt(at, typed);
    return true;
  };

  /** The nearest cell that has an editor; rows are gone through one after the other. */
  const beside = (at: CellPosition, by: 1 | -1): CellPosition | null => {
    const count = columns.length;
    for (let place = at.row * count + at.column + by; place >= 0 && place < rows.length * count; place += by) {
      const next = { row: Math.floor(place / count), column: place % count };
      if (canEdit(next)) return next;
    }
    return null;
  };

  const finish = (value: unknown, exit: EditorExit) => {
    if (!open) return;
    const edited = row.current;
    const id = columns[open.at.column]?.id;
    setOpen(null);
    if (value !== undefined && edits && edited !== undefined && id !== undefined) void edits.change(edited, { [id]: value });
    if (exit === 'left') return;
    const next = exit === 'stay' ? null : beside(open.at, exit === 'next' ? 1 : -1);
    focusCell(next ?? open.at);
    // A yes/no is only focused: it must not be turned over by passing.
    if (next && editOf(next)?.look !== 'toggle') openAt(next, null);
  };

  const paste = (at: CellPosition, text: string): PasteResult => {
    const lines = connection.online.get() ? fromTsv(text) : [];
    if (lines.length === 0) sayOffline();
    const targets = columns.slice(at.column).filter((column) => column !== undefined);
    const result: PasteResult = { taken: 0, skipped: 0, beyond: Math.max(0, lines.length - (rows.length - at.row)) };
    lines.slice(0, rows.length - at.row).forEach((line, index) => {
      const target = rows[at.row + index];
      if (target === undefined) return;
      const values: Record<string, unknown> = {};
      line.forEach((part, offset) => {
        const column = targets[offset];
        if (!column?.edit) result.skipped += 1;
        else values[column.id] = column.edit.parse(part);
      });
      result.taken += Object.keys(values).length;
      const changed = Object.entries(values).filter(([id, value]) => {
        const before = targets.find((column) => column.id === id)?.edit?.value(target);
        const failed = edits?.of(rowId(target), id)?.state === 'failed';
        return failed || value instanceof InvalidInput || JSON.stringify(value ?? null) !== JSON.stringify(before ?? null);
      });
      if (changed.length > 0) void edits?.change(target, Object.fromEntries(changed));
    });
    return result;
  };

  return { open, canEdit, start, finish, paste };
}
