/** The WAI-ARIA grid keyboard model: one tab stop, arrows move from cell to cell. */
import { useCallback, useEffect, useRef, useState, type FocusEvent, type KeyboardEvent, type RefObject } from 'react';

/** `row` -1 is the header. */
export interface CellPosition {
  row: number;
  column: number;
}

export interface GridKeys {
  /** Enter on a cell; true when it was used. */
  enter: (at: CellPosition, cell: HTMLElement) => void;
  /** Any other key on a cell, before the defaults; true when it was used. */
  key: (event: KeyboardEvent, at: CellPosition) => boolean;
}

interface Options {
  grid: RefObject<HTMLElement | null>;
  rowCount: number;
  columnCount: number;
  /** Rows a PageDown moves by. */
  pageRows: () => number;
  /** Brings a row that may not be rendered into view. */
  reveal: (row: number) => void;
  keys: GridKeys;
}

const MAX_FRAMES = 10;

export function positionOf(element: Element | null): CellPosition | null {
  const cell = element?.closest<HTMLElement>('[data-row][data-column]');
  return cell ? { row: Number(cell.dataset.row), column: Number(cell.dataset.column) } : null;
}

/** Where an arrow, Home, End or Page key leads; null for other keys. */
export function nextPosition(
  key: string,
  jump: boolean,
  at: CellPosition,
  size: { rows: number; columns: number; page: number },
): CellPosition | null {
  const lastRow = size.rows - 1;
  const lastColumn = size.columns - 1;
  const clampRow = (row: number) => Math.max(-1, Math.min(lastRow, row));
  switch (key) {
    case 'ArrowRight':
      return { ...at, column: Math.min(lastColumn, at.column + 1) };
    case 'ArrowLeft':
      return { ...at, column: Math.max(0, at.column - 1) };
    case 'ArrowDown':
      return { ...at, row: clampRow(at.row + 1) };
    case 'ArrowUp':
      return { ...at, row: clampRow(at.row - 1) };
    case 'PageDown':
      return { ...at, row: clampRow(at.row + size.page) };
    case 'PageUp':
      return { ...at, row: Math.max(Math.min(0, lastRow), at.row - size.page) };
    case 'Home':
      return { row: jump ? Math.min(0, lastRow) : at.row, column: 0 };
    case 'End':
      return { row: jump ? lastRow : at.row, column: lastColumn };
    default:
      return null;
  }
}

export function useGridKeyboard({ grid, rowCount, columnCount, pageRows, reveal, keys }: Options) {
  const [active, setActive] = useState<CellPosition>({ row: -1, column: 0 });
  const wanted = useRef<CellPosition | null>(null);
  // Rows and columns go away; the tab stop stays on one that exists.
  const current = {
    row: Math.min(active.row, rowCount - 1),
    column: Math.max(0, Math.min(active.column, columnCount - 1)),
  };

  const focusCell = useCallback(
    (to: CellPosition) => {
      setActive(to);
      wanted.current = to;
      reveal(to.row);
      const attempt = (left: number) => {
        if (wanted.current !== to) return;
        const cell = grid.current?.querySelector<HTMLElement>(`[data-row="${to.row}"][data-column="${to.column}"]`);
        if (cell) {
          wanted.current = null;
          cell.focus();
        } else if (left > 0) requestAnimationFrame(() => attempt(left - 1));
      };
      attempt(MAX_FRAMES);
    },
    [grid, reveal],
  );

  const onKeyDown = (event: KeyboardEvent) => {
    const target = event.target as HTMLElement;
    const at = positionOf(target);
    if (!at || event.defaultPrevented || event.nativeEvent.isComposing) return;
    const onCell = target.dataset.row !== undefined;
    if (event.key === 'Escape' && !onCell) return focusCell(at);
    // Controls inside a cell keep their own keys.
    if (!onCell && !(target instanceof HTMLInputElement && target.type === 'checkbox')) return;
    if (keys.key(event, at)) return event.preventDefault();
    if (event.key === 'Enter' && onCell) {
      event.preventDefault();
      return keys.enter(at, target);
    }
    if (event.altKey) return;
    const jump = event.ctrlKey || event.metaKey;
    if (jump && event.key.startsWith('Arrow')) return;
    const to = nextPosition(event.key, jump, at, { rows: rowCount, columns: columnCount, page: pageRows() });
    if (!to) return;
    event.preventDefault();
    focusCell(to);
  };

  // The focused row may go away (deleted, filtered); the focus goes to the one that took its place.
  const focused = useRef<Element | null>(null);
  useEffect(() => {
    if (!focused.current || focused.current.isConnected || document.activeElement !== document.body) return;
    focused.current = null;
    focusCell(current);
  });
  const onBlur = () => {
    focused.current = null;
  };
  const onFocus = (event: FocusEvent) => {
    focused.current = event.target;
    const at = positionOf(event.target);
    if (at && (at.row !== current.row || at.column !== current.column)) setActive(at);
  };

  return { active: current, focusCell, onKeyDown, onFocus, onBlur };
}
