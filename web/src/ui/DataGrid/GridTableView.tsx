import { useVirtualizer } from '@tanstack/react-virtual';
import { useCallback, useMemo, useRef, useState, type CSSProperties, type KeyboardEvent, type ReactNode } from 'react';
import { BodyRows, SkeletonRows, type BodyProps } from './BodyRows';
import { isOwn } from './cellStyle';
import classes from './DataGrid.module.css';
import { FAILED_PANEL } from './FailedCell';
import { HeaderRow, orderedColumns } from './HeaderRow';
import { ROW_HEIGHT, VIRTUAL_FROM, type GridColumn, type GridState } from './types';
import { useAvailableHeight } from './useAvailableHeight';
import { useCellEditor } from './useCellEditor';
import type { CellEditsState } from './useCellEdits';
import { useClipboard } from './useClipboard';
import { useRowKeys } from './useRowKeys';
import { useScrolled } from './useScrolled';
import { useGridKeyboard, type CellPosition } from './useGridKeyboard';
import type { GridLayout } from './useGridTable';

export interface TableViewProps<Row> extends Omit<BodyProps<Row>, 'columns' | 'rendered' | 'height' | 'active' | 'editing'> {
  label: string;
  layout: GridLayout;
  columns: GridColumn<Row>[];
  state: GridState;
  onState: (patch: Partial<GridState>) => void;
  total: number | undefined;
  skeleton: boolean;
  busy: boolean;
  stale: boolean;
  /** Pixels to leave free below the footer. */
  reserve: number;
  cellEdits: CellEditsState<Row> | null;
  /** Stands above the first row without moving it. */
  notice: ReactNode;
  onEdit?: (row: Row) => void;
  onDelete?: (row: Row) => void;
  onFilter?: (id: string) => void;
  announce: (text: string) => void;
}

const HEAD_HEIGHT = 40;
const OVERSCAN = 8;
const FIT_PADDING = 40;

/** The list as an ARIA grid. */
export function GridTableView<Row extends object>(props: TableViewProps<Row>) {
  const { layout, rows, state, columns, total, selection } = props;
  const grid = useRef<HTMLDivElement>(null);
  const [menu, setMenu] = useState<string | null>(null);
  const byId = useMemo(() => new Map(columns.map((column) => [column.id, column])), [columns]);
  const height = ROW_HEIGHT[layout.density];
  useScrolled(grid, layout.table.getTotalSize());
  const available = useAvailableHeight(grid, props.reserve);
  const virtual = rows.length > VIRTUAL_FROM;
  const virtualizer = useVirtualizer({
    count: virtual ? rows.length : 0,
    getScrollElement: () => grid.current,
    estimateSize: () => height,
    overscan: OVERSCAN,
  });
  const reveal = useCallback(
    (row: number) => {
      if (virtual && row >= 0) virtualizer.scrollToIndex(row);
    },
    [virtual, virtualizer],
  );
  const leaves = orderedColumns(layout);
  const columnAt = (at: CellPosition) => leaves[at.column];
  const pageRows = () => Math.max(1, Math.floor(((grid.current?.clientHeight ?? 400) - HEAD_HEIGHT) / height) - 1);
  const [focused, setFocused] = useState(false);
  // Editor and keyboard need each other: the editor gives the focus back to a cell.
  const focusCell = useRef<(to: CellPosition) => void>(() => undefined);
  const editor = useCellEditor({
    edits: props.cellEdits?.edits ?? null,
    rows,
    rowId: props.rowId,
    columns: leaves.map((leaf) => byId.get(leaf.id)),
    focusCell: (to) => focusCell.current(to),
  });
  const isFailed = (at: CellPosition) => {
    const row = rows[at.row];
    return row !== undefined && props.cellEdits?.edits.of(props.rowId(row), columnAt(at)?.id ?? '')?.state === 'failed';
  };
  const rowKeys = useRowKeys(props, editor, (at) => columnAt(at)?.id);
  /** On the title of a tree's row, arrows unfold and fold before they move. */
  const foldKey = (event: KeyboardEvent, at: CellPosition): boolean => {
    const row = rows[at.row];
    const id = row && columnAt(at)?.id === props.titleId ? props.rowId(row) : undefined;
    const inTree = id === undefined ? undefined : props.tree?.of(id);
    if (id === undefined || !inTree?.isParent || event.key !== (inTree.isUnfolded ? 'ArrowLeft' : 'ArrowRight')) return false;
    props.tree?.toggle(id);
    return true;
  };
  const keyboard = useGridKeyboard({
    grid,
    rowCount: rows.length,
    columnCount: leaves.length,
    pageRows,
    reveal,
    keys: {
      enter: (at, cell) => {
        const row = rows[at.row];
        const id = columnAt(at)?.id ?? '';
        if (at.row < 0 && !isOwn(id)) setMenu(id);
        else if (isOwn(id) || byId.get(id)?.interactive) enterCell(cell);
        else if (isFailed(at)) focusFailedPanel();
        // The title leads to the record; its text is edited with F2 or by typing.
        else if (id === props.titleId || !editor.start(at, null)) row && props.onOpen?.(row);
      },
      key: (event, at) => foldKey(event, at) || rowKeys(event, at),
    },
  });
  focusCell.current = keyboard.focusCell;
  const clipboard = useClipboard(props, editor, leaves);
  const fit = (id: string) => {
    const parts = grid.current?.querySelectorAll<HTMLElement>(`[data-fit="${CSS.escape(id)}"]`) ?? [];
    const width = Math.max(72, ...[...parts].map((part) => part.scrollWidth + FIT_PADDING));
    layout.table.setColumnSizing((old) => ({ ...old, [id]: Math.min(width, 800) }));
  };
  const rendered = virtual
    ? withActive(virtualizer.getVirtualItems().map((item) => item.index), keyboard.active.row, rows.length)
    : rows.map((_, index) => index);
  const style = {
    '--grid-head-height': `${HEAD_HEIGHT}px`,
    '--grid-row-height': `${height}px`,
    '--grid-pin-start': `${layout.table.getStartTotalSize()}px`,
    '--grid-pin-end': `${layout.table.getEndTotalSize()}px`,
    '--grid-max-height': `${available}px`,
  } as CSSProperties;

  return (
    <div className={classes.frame} style={style}>
      {props.notice && <div className={classes.notice}>{props.notice}</div>}
      <div
        ref={grid}
        role={props.tree ? 'treegrid' : 'grid'}
        className={`${classes.scroller} ${props.stale ? classes.stale : ''}`}
        aria-label={props.label}
        aria-rowcount={total === undefined ? -1 : total + 1}
        aria-colcount={leaves.length}
        aria-multiselectable={selection ? true : undefined}
        aria-busy={props.busy || props.skeleton}
        onKeyDown={keyboard.onKeyDown}
        onFocus={(event) => {
          setFocused(true);
          keyboard.onFocus(event);
        }}
        onBlur={() => {
          // Moving on inside the grid brings a focus event right behind this one.
          setFocused(false);
          keyboard.onBlur();
        }}
        {...clipboard}
      >
        <HeaderRow
          layout={layout}
          columns={byId}
          sort={state.sort}
          onSort={(sort) => props.onState({ sort })}
          onFilter={props.onFilter}
          onFit={fit}
          selection={selection}
          active={keyboard.active}
          focusCell={keyboard.focusCell}
          menu={menu}
          setMenu={setMenu}
          announce={props.announce}
          busy={props.busy}
        />
        {rows.length > 0 && (
          <BodyRows
            {...props}
            columns={byId}
            active={keyboard.active}
            rendered={rendered}
            height={height}
            editing={props.cellEdits && { ...props.cellEdits, editor, focused, focusCell: keyboard.focusCell }}
          />
        )}
        {props.skeleton && <SkeletonRows layout={layout} />}
      </div>
    </div>
  );
}

/** Indexes to render: the window, and the row that holds the tab stop wherever it is. */
function withActive(window: number[], active: number, count: number): number[] {
  if (active < 0 || active >= count || window.includes(active)) return window;
  return [...window, active].sort((a, b) => a - b);
}

/** The panel opens with the focus on its cell; a quick Enter may come before it is drawn. */
function focusFailedPanel(frames = 60): void {
  const button = document.querySelector<HTMLElement>(`[${FAILED_PANEL}] button`);
  if (button) button.focus();
  else if (frames > 0) requestAnimationFrame(() => focusFailedPanel(frames - 1));
}

/** Enter on a cell that holds a control: use it. */
function enterCell(cell: HTMLElement): void {
  const control = cell.querySelector<HTMLElement>('button, a[href], input, select, [tabindex]');
  if (control instanceof HTMLButtonElement || (control instanceof HTMLInputElement && control.type === 'checkbox')) control.click();
  else control?.focus();
}
