/** Which rows are chosen; survives paging, ends when the list shows something else. */
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { GridSelection, GridState } from './types';

export interface Selection<Row> {
  isSelected: (id: string) => boolean;
  /** `range` extends from the last toggled row (Shift-click). */
  toggle: (index: number, range: boolean) => void;
  togglePage: () => void;
  selectPage: () => void;
  pageState: 'none' | 'some' | 'all';
  allMatching: boolean;
  selectAllMatching: () => void;
  clear: () => void;
  value: GridSelection<Row>;
}

export function useSelection<Row>(
  rows: Row[],
  rowId: (row: Row) => string,
  state: GridState,
  total: number | undefined,
): Selection<Row> {
  const [ids, setIds] = useState<ReadonlySet<string>>(new Set());
  const [allMatching, setAllMatching] = useState(false);
  const anchor = useRef<number | null>(null);
  const shown = JSON.stringify([state.q, state.filter]);
  const clear = useCallback(() => {
    setIds(new Set());
    setAllMatching(false);
    anchor.current = null;
  }, []);
  useEffect(clear, [shown, clear]);

  const pageIds = useMemo(() => rows.map(rowId), [rows, rowId]);
  const chosen = pageIds.filter((id) => allMatching || ids.has(id)).length;
  const pageState = chosen === 0 ? 'none' : chosen === pageIds.length ? 'all' : 'some';

  const toggle = (index: number, range: boolean) => {
    const id = pageIds[index];
    if (id === undefined) return;
    const on = allMatching ? false : !ids.has(id);
    const from = range && anchor.current !== null ? anchor.current : index;
    const touched = pageIds.slice(Math.min(from, index), Math.max(from, index) + 1);
    const next = new Set(allMatching ? pageIds : ids);
    for (const other of touched) {
      if (on) next.add(other);
      else next.delete(other);
    }
    anchor.current = index;
    setAllMatching(false);
    setIds(next);
  };
  const selectPage = () => setIds(new Set([...ids, ...pageIds]));
  const togglePage = () => {
    if (pageState !== 'all') return selectPage();
    setAllMatching(false);
    setIds(new Set([...ids].filter((id) => !pageIds.includes(id))));
  };

  return {
    isSelected: (id) => allMatching || ids.has(id),
    toggle,
    togglePage,
    selectPage,
    pageState,
    allMatching,
    selectAllMatching: () => setAllMatching(true),
    clear,
    value: {
      ids: [...ids],
      rows: rows.filter((row) => allMatching || ids.has(rowId(row))),
      allMatching,
      count: allMatching ? (total ?? ids.size) : ids.size,
    },
  };
}
