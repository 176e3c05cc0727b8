import type { ComponentType, ReactNode } from 'react';
import type { Density } from '../../app/density';
import type { CellEditing } from '../../fields/types';
import type { Filter } from '../FilterBuilder/grammar';

/** One sort key of a list, as in `?sort=-createdAt,name`. */
export interface SortKey {
  id: string;
  desc: boolean;
}

/** What a list shows; lives in the URL (see useGridState). */
export interface GridState {
  q: string;
  filter: Filter | null;
  sort: SortKey[];
  /** 1-based. */
  page: number;
  size: number;
}

/** One page of rows. `total` for counted lists, `hasNext` for simple pagination. */
export interface GridPage<Row> {
  rows: Row[];
  total?: number;
  hasNext?: boolean;
}

/** The part of a TanStack Query result the grid reads; pass the result as it is. */
export interface GridQuery<Row> {
  data: GridPage<Row> | undefined;
  error: unknown;
  isFetching: boolean;
  /** Old page shown while the next one loads (`placeholderData: keepPreviousData`). */
  isPlaceholderData: boolean;
  refetch: () => unknown;
}

export interface CellInputProps {
  value: unknown;
  onChange: (value: unknown) => void;
  /** Names the input; shown above it in a panel. */
  label: string;
  error?: string | undefined;
}

/** How the cells of a column are edited in place. */
export interface GridCellEdit<Row> {
  look: CellEditing['look'];
  inputType?: CellEditing['inputType'];
  value: (row: Row) => unknown;
  /** The row with another value. */
  apply: (row: Row, value: unknown) => Row;
  /** Text as it is typed and pasted; an InvalidInput when it cannot be a value. */
  parse: (text: string) => unknown;
  /** What is wrong with a value, in words; null when it can be saved. */
  check: (value: unknown) => string | null;
  /** The input of a list of choices or a panel. */
  Input: ComponentType<CellInputProps>;
}

/** Editing in the cells of a list; columns with `edit` take part. */
export interface GridEditing<Row> {
  /** Saves values of one row, by column; rejects when they are not saved. */
  save: (row: Row, values: Record<string, unknown>) => Promise<void>;
  /** What an error says about single columns. */
  explain?: (error: unknown) => Record<string, string>;
}

export interface GridColumn<Row> {
  id: string;
  /** Header text, translated. */
  title: string;
  /** What the cell shows; default is `text(row)`. */
  cell?: (row: Row) => ReactNode;
  /** Plain text of the cell: tooltip, copy, cards; default is the row's property `id`. */
  text?: (row: Row) => string;
  /** Text for other programs (copy); default is the plain text. */
  copy?: (row: Row) => string;
  /** Editing in place; the grid needs `editing` too. */
  edit?: GridCellEdit<Row>;
  /** Default true. */
  sortable?: boolean;
  /** Used by localPage only; default is the row's property `id`. */
  sortValue?: (row: Row) => string | number | boolean | null | undefined;
  /** Pixels; default 180. */
  width?: number;
  minWidth?: number;
  align?: 'start' | 'end';
  pin?: 'left' | 'right';
  /** Hidden until the user shows it. */
  hidden?: boolean;
  /** Default true: the user may hide it. */
  hideable?: boolean;
  /**
   * Role on a phone card. 'title' is also the column that links to the record;
   * default: first column is the title, the next four are fields.
   */
  card?: 'title' | 'status' | 'field' | 'none';
  /** The cell holds a control: Enter focuses it instead of opening the record. */
  interactive?: boolean;
}

/** An entry of a row's menu. */
export interface GridAction<Row> {
  id: string;
  label: string;
  icon?: ReactNode;
  danger?: boolean;
  disabled?: boolean;
  /** It changes something: not without a connection. */
  writes?: boolean;
  onAction: (row: Row) => void;
}

/** What a bulk action gets: ids of the chosen rows, or all rows that match the filter. */
export interface GridSelection<Row> {
  ids: string[];
  /** The chosen rows that are on the current page. */
  rows: Row[];
  /** True after "select all matching": act on the list's filter, not on ids. */
  allMatching: boolean;
  count: number;
}

export interface GridBulkAction<Row> {
  id: string;
  label: string;
  icon?: ReactNode;
  danger?: boolean;
  onAction: (selection: GridSelection<Row>) => void | Promise<void>;
}

/** What others do to the rows of a list while it is shown. */
export interface GridLive {
  /** Ids of rows that were deleted: they fade. */
  gone: ReadonlySet<string>;
  /** Rows that match and are not shown yet. */
  fresh: number;
  /** Shows them. */
  onShow: () => void;
}

export interface GridEmpty {
  /** One sentence: what is not here, and what it would be good for. */
  text: ReactNode;
  /** Shown as the one sensible next step, e.g. a button. */
  action?: ReactNode;
}

export type { Density };

/** Row height in pixels. */
export const ROW_HEIGHT: Record<Density, number> = { compact: 32, normal: 40, comfortable: 52 };
export const PAGE_SIZES = [20, 50, 100, 200] as const;
export const DEFAULT_SIZE = 20;
/** More rows than this are rendered only around the viewport. */
export const VIRTUAL_FROM = 60;
/** Column ids of the grid itself. */
export const SELECT_ID = '__select';
export const ACTIONS_ID = '__actions';

/** Plain text of a cell. */
export function cellText<Row>(column: GridColumn<Row>, row: Row): string {
  if (column.text) return column.text(row);
  const value = (row as Record<string, unknown>)[column.id];
  if (value === null || value === undefined) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
