/** Search, sorting and paging in memory, for short lists that arrive whole. */
import { useMemo } from 'react';
import { cellText, type GridColumn, type GridPage, type GridQuery, type GridState } from './types';

type SortValue = string | number | boolean | null | undefined;

function sortValue<Row>(column: GridColumn<Row>, row: Row): SortValue {
  if (column.sortValue) return column.sortValue(row);
  const value = (row as Record<string, unknown>)[column.id];
  return typeof value === 'object' ? cellText(column, row) : (value as SortValue);
}

/** Empty values come last in both directions, as the server sorts them. */
function compare(a: SortValue, b: SortValue, desc: boolean): number {
  const emptyA = a === null || a === undefined || a === '';
  const emptyB = b === null || b === undefined || b === '';
  if (emptyA || emptyB) return Number(emptyA) - Number(emptyB);
  const order =
    typeof a === 'string' || typeof b === 'string'
      ? String(a).localeCompare(String(b), undefined, { numeric: true, sensitivity: 'base' })
      : Number(a) - Number(b);
  return desc ? -order : order;
}

export function localPage<Row>(all: Row[], state: GridState, columns: GridColumn<Row>[]): GridPage<Row> {
  const needle = state.q.trim().toLowerCase();
  let rows = needle
    ? all.filter((row) => columns.some((column) => cellText(column, row).toLowerCase().includes(needle)))
    : all;
  const keys = state.sort.flatMap((key) => {
    const column = columns.find((candidate) => candidate.id === key.id);
    return column ? [{ column, desc: key.desc }] : [];
  });
  if (keys.length > 0) {
    rows = [...rows].sort((a, b) => {
      for (const { column, desc } of keys) {
        const order = compare(sortValue(column, a), sortValue(column, b), desc);
        if (order !== 0) return order;
      }
      return 0;
    });
  }
  const start = (state.page - 1) * state.size;
  return { rows: rows.slice(start, start + state.size), total: rows.length };
}

/** Turns a query for a whole array into the page query the grid wants. */
export function useLocalPage<Row>(
  query: Omit<GridQuery<Row>, 'data'> & { data: Row[] | undefined },
  state: GridState,
  columns: GridColumn<Row>[],
): GridQuery<Row> {
  const { data, error, isFetching, refetch } = query;
  const page = useMemo(() => (data ? localPage(data, state, columns) : undefined), [data, state, columns]);
  return { data: page, error, isFetching, isPlaceholderData: false, refetch };
}
