/** The table model: column order, visibility, pins and widths, kept per user. */
import { useCallback, useMemo } from 'react';
import {
  columnOrderingFeature,
  columnPinningFeature,
  columnResizingFeature,
  columnSizingFeature,
  columnVisibilityFeature,
  tableFeatures,
  useTable,
  type Column,
  type Header,
  type ReactTable,
  type Updater,
} from '@tanstack/react-table';
import { useGridPreference, type GridPreference } from './preferences';
import { useUsualDensity } from '../../app/density';
import { ACTIONS_ID, SELECT_ID, type Density, type GridColumn } from './types';
import { useGridLook, type SavedView } from './views';

const features = tableFeatures({
  columnOrderingFeature,
  columnPinningFeature,
  columnSizingFeature,
  columnResizingFeature,
  columnVisibilityFeature,
});

export type GridFeatures = typeof features;
export type GridTable = ReactTable<GridFeatures, object>;
export type TableColumn = Column<GridFeatures, object>;
export type TableHeader = Header<GridFeatures, object, unknown>;

const NO_ROWS: object[] = [];

export interface GridLayout {
  table: GridTable;
  density: Density;
  setDensity: (density: Density) => void;
  saveSize: (size: number) => void;
  reset: () => void;
  /** What is different from the default, for saving it as a view. */
  preference: GridPreference;
  /** The person changed the look of the view, or the default one. */
  changed: boolean;
  moveColumn: (id: string, target: string) => void;
  shiftColumn: (id: string, by: -1 | 1) => void;
}

interface Options<Row> {
  gridKey: string;
  /** The list is in this view. */
  view?: SavedView | null;
  columns: GridColumn<Row>[];
  selectable: boolean;
  hasActions: boolean;
}

function apply<T>(updater: Updater<T>, old: T): T {
  return typeof updater === 'function' ? (updater as (old: T) => T)(old) : updater;
}

function visibilityOf<Row>(columns: GridColumn<Row>[], preference: GridPreference): Record<string, boolean> {
  return { ...Object.fromEntries(columns.filter((column) => column.hidden).map((column) => [column.id, false])), ...preference.visible };
}

/** Ids of the columns that are shown, for lists that load no more than that. */
export function useShownColumns<Row>(gridKey: string, view: SavedView | null, columns: GridColumn<Row>[]): ReadonlySet<string> {
  const { preference } = useGridLook(gridKey, view);
  return useMemo(() => {
    const visible = visibilityOf(columns, preference);
    return new Set(columns.map((column) => column.id).filter((id) => visible[id] !== false));
  }, [columns, preference]);
}

export function useGridTable<Row>({ gridKey, view, columns, selectable, hasActions }: Options<Row>): GridLayout {
  const usualDensity = useUsualDensity();
  const [, changeList] = useGridPreference(gridKey);
  const { preference, change, reset, changed } = useGridLook(gridKey, view);
  const defs = useMemo(() => columnDefs(columns, selectable, hasActions), [columns, selectable, hasActions]);
  const state = useMemo(
    () => ({
      columnOrder: preference.order ?? columns.map((column) => column.id),
      columnVisibility: visibilityOf(columns, preference),
      columnSizing: preference.widths ?? {},
      columnPinning: pinsWithOwn(preference.pins ?? defaultPins(columns), selectable, hasActions),
    }),
    [preference, columns, selectable, hasActions],
  );
  const table = useTable({
    features,
    columns: defs,
    data: NO_ROWS,
    state,
    columnResizeMode: 'onChange',
    onColumnOrderChange: (updater) => change((old) => ({ ...old, order: apply(updater, state.columnOrder) })),
    onColumnVisibilityChange: (updater) => change((old) => ({ ...old, visible: apply(updater, state.columnVisibility) })),
    onColumnSizingChange: (updater) => change((old) => ({ ...old, widths: apply(updater, old.widths ?? {}) })),
    onColumnPinningChange: (updater) => change((old) => ({ ...old, pins: withoutOwn(apply(updater, state.columnPinning)) })),
  });
  const moveColumn = useCallback(
    (id: string, target: string) =>
      change((old) => ({ ...old, order: moved(completeOrder(old.order, columns), id, target) })),
    [change, columns],
  );
  const shiftColumn = (id: string, by: -1 | 1) => {
    const neighbours = sameRegion(table, id);
    const target = neighbours[neighbours.indexOf(id) + by];
    if (!target) return;
    const pinned = table.getColumn(id)?.getIsPinned();
    if (pinned) {
      const pins = preference.pins ?? defaultPins(columns);
      change((old) => ({ ...old, pins: { ...pins, [pinned]: moved(pins[pinned], id, target) } }));
    } else moveColumn(id, target);
  };
  return {
    table,
    density: preference.density ?? usualDensity,
    setDensity: (density) => change((old) => ({ ...old, density })),
    saveSize: (size) => changeList((old) => ({ ...old, size })),
    reset,
    preference,
    changed,
    moveColumn,
    shiftColumn,
  };
}

function columnDefs<Row>(columns: GridColumn<Row>[], selectable: boolean, hasActions: boolean) {
  const own = { header: '', enablePinning: false, enableResizing: false, enableHiding: false, size: 44, minSize: 44 };
  return [
    ...(selectable ? [{ ...own, id: SELECT_ID }] : []),
    ...columns.map((column) => ({
      id: column.id,
      header: column.title,
      size: column.width ?? 180,
      minSize: column.minWidth ?? 72,
      maxSize: 1200,
      enableHiding: column.hideable ?? true,
    })),
    ...(hasActions ? [{ ...own, id: ACTIONS_ID, size: 52 }] : []),
  ];
}

type Pins = { start: string[]; end: string[] };

function defaultPins<Row>(columns: GridColumn<Row>[]): Pins {
  return {
    start: columns.filter((column) => column.pin === 'left').map((column) => column.id),
    end: columns.filter((column) => column.pin === 'right').map((column) => column.id),
  };
}

/** The check boxes stay at the very start, the row menu at the very end. */
function pinsWithOwn(pins: Pins, selectable: boolean, hasActions: boolean): Pins {
  return {
    start: selectable ? [SELECT_ID, ...pins.start] : pins.start,
    end: hasActions ? [...pins.end, ACTIONS_ID] : pins.end,
  };
}

function withoutOwn(pins: Pins): Pins {
  const foreign = (id: string) => id !== SELECT_ID && id !== ACTIONS_ID;
  return { start: pins.start.filter(foreign), end: pins.end.filter(foreign) };
}

function sameRegion(table: GridTable, id: string): string[] {
  const position = table.getColumn(id)?.getIsPinned() || 'center';
  return table
    .getPinnedVisibleLeafColumns(position)
    .map((column) => column.id)
    .filter((column) => column !== SELECT_ID && column !== ACTIONS_ID);
}

/** A saved order lacks columns that were added later: they come last. */
function completeOrder<Row>(order: string[] | undefined, columns: GridColumn<Row>[]): string[] {
  const known = columns.map((column) => column.id);
  const kept = (order ?? known).filter((id) => known.includes(id));
  return [...kept, ...known.filter((id) => !kept.includes(id))];
}

/** The order with `id` at the place of `target`. */
export function moved(order: string[], id: string, target: string): string[] {
  const from = order.indexOf(id);
  const to = order.indexOf(target);
  if (from < 0 || to < 0 || from === to) return order;
  const next = order.filter((other) => other !== id);
  next.splice(to, 0, id);
  return next;
}
