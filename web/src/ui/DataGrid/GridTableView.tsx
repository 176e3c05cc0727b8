import { useVirtualizer } from '@tanstack/react-virtual';
import { useCallback, useMemo, useRef, useState, type CSSProperties, type KeyboardEvent } from 'react';
import { toast } from '../toasts';
import { useTranslation } from 'react-i18next';
import { BodyRows, SkeletonRows, type BodyProps } from './BodyRows';
import { isOwn } from './cellStyle';
import { toTsv } from './clipboard';
import classes from './DataGrid.module.css';
import { HeaderRow, orderedColumns } from './HeaderRow';
import { ROW_HEIGHT, SELECT_ID, VIRTUAL_FROM, cellText, type GridColumn, type GridState } from './types';
import { useAvailableHeight } from './useAvailableHeight';
import { useScrolled } from './useScrolled';
import { useGridKeyboard, type CellPosition } from './useGridKeyboard';
import type { GridLayout } from './useGridTable';

interface Props<Row> extends Omit<BodyProps<Row>, 'columns' | 'rendered' | 'height' | 'active'> {
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
  onEdit?: (row: Row) => void;
  onDelete?: (row: Row) => void;
  onFilter?: (id: string) => void;
  announce: (text: string) => void;
}

const HEAD_HEIGHT = 40;
const OVERSCAN = 8;
const FIT_PADDING = 40;

/** The list as an ARIA grid. */
export function GridTableView<Row extends object>(props: Props<Row>) {
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
        else if (row) props.onOpen?.(row);
      },
      key: useRowKeys(props, (at) => columnAt(at)?.id),
    },
  });
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
      <div
        ref={grid}
        role="grid"
        className={`${classes.scroller} ${props.stale ? classes.stale : ''}`}
        aria-label={props.label}
        aria-rowcount={total === undefined ? -1 : total + 1}
        aria-colcount={leaves.length}
        aria-multiselectable={selection ? true : undefined}
        aria-busy={props.busy || props.skeleton}
        onKeyDown={keyboard.onKeyDown}
        onFocus={keyboard.onFocus}
        onBlur={keyboard.onBlur}
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
          <BodyRows {...props} columns={byId} active={keyboard.active} rendered={rendered} height={height} />
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

/** Enter on a cell that holds a control: use it. */
function enterCell(cell: HTMLElement): void {
  const control = cell.querySelector<HTMLElement>('button, a[href], input, select, [tabindex]');
  if (control instanceof HTMLButtonElement || (control instanceof HTMLInputElement && control.type === 'checkbox')) control.click();
  else control?.focus();
}

/** Keys that act on the row or the selection. */
function useRowKeys<Row extends object>(props: Props<Row>, columnId: (at: CellPosition) => string | undefined) {
  const { rows, selection } = props;
  const { t } = useTranslation('grid');
  const copy = (at: CellPosition) => {
    const id = columnId(at);
    const chosen = selection?.value.rows ?? [];
    const shown = orderedColumns(props.layout).flatMap((leaf) => props.columns.find((column) => column.id === leaf.id) ?? []);
    const row = rows[at.row];
    const column = props.columns.find((candidate) => candidate.id === id);
    const text = chosen.length > 0 ? toTsv(shown, chosen, true) : column && (row ? cellText(column, row) : column.title);
    if (text === undefined) return;
    void navigator.clipboard.writeText(text).then(() => props.announce(t('copied')), toast.error);
  };
  return (event: KeyboardEvent, at: CellPosition): boolean => {
    const row = rows[at.row];
    const onHeaderCheck = at.row < 0 && columnId(at) === SELECT_ID;
    if (event.ctrlKey || event.metaKey) {
      if (event.key === 'a' && selection) {
        selection.selectPage();
        return true;
      }
      if (event.key === 'c' && !window.getSelection()?.toString()) {
        copy(at);
        return true;
      }
      return false;
    }
    if (event.altKey) return false;
    if (event.key === ' ') {
      if (!selection) return false;
      if (onHeaderCheck) selection.togglePage();
      else if (row) selection.toggle(at.row, event.shiftKey);
      return true;
    }
    if (!row) return false;
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
