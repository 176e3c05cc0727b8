import { ActionIcon } from '@mantine/core';
import { IconArrowDown, IconArrowUp, IconChevronDown } from '@tabler/icons-react';
import { useState, type DragEvent, type HTMLAttributes, type KeyboardEvent, type MouseEvent } from 'react';
import { useTranslation } from 'react-i18next';
import classes from './DataGrid.module.css';
import { HeaderMenu } from './HeaderMenu';
import type { HeaderRowProps } from './HeaderRow';
import type { GridColumn, SortKey } from './types';
import type { TableColumn } from './useGridTable';

interface Props<Row> extends HeaderRowProps<Row> {
  tableColumn: TableColumn;
  column: GridColumn<Row>;
  names: string;
  shared: HTMLAttributes<HTMLElement> & { 'data-row': number; 'data-column': number };
  dragged: string | null;
  setDragged: (id: string | null) => void;
}

const STEP = 16;

/** asc → desc → none; `add` keeps the other keys (Shift). */
export function cycleSort(sort: SortKey[], id: string, add: boolean): SortKey[] {
  const old = sort.find((key) => key.id === id);
  const next: SortKey | null = !old ? { id, desc: false } : old.desc ? null : { id, desc: true };
  if (!add) return next ? [next] : [];
  if (!old) return [...sort, { id, desc: false }];
  return sort.flatMap((key) => (key.id !== id ? [key] : next ? [next] : []));
}

export function HeaderCell<Row>(props: Props<Row>) {
  const { tableColumn, column, names, shared, sort, onSort, menu, setMenu, layout, announce } = props;
  const { t } = useTranslation('grid');
  const [resizing, setResizing] = useState(false);
  const [over, setOver] = useState(false);
  const sortable = column.sortable ?? true;
  const position = sort.findIndex((key) => key.id === column.id);
  const key = sort[position];
  const header = layout.table.getHeaderGroups()[0]?.headers.find((candidate) => candidate.id === column.id);
  const at = { row: -1, column: shared['data-column'] };

  const onClick = (event: MouseEvent) => {
    if ((event.target as HTMLElement).closest('[data-part]')) return;
    if (sortable) onSort(cycleSort(sort, column.id, event.shiftKey));
  };
  const setWidth = (width: number) => {
    const bounded = Math.max(tableColumn.columnDef.minSize ?? 72, Math.min(1200, width));
    layout.table.setColumnSizing((old) => ({ ...old, [column.id]: bounded }));
    announce(t('resized', { title: column.title, width: bounded }));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (!resizing) return;
    const step = event.key === 'ArrowRight' ? STEP : event.key === 'ArrowLeft' ? -STEP : 0;
    if (step !== 0) setWidth(tableColumn.getSize() + (event.shiftKey ? step * 4 : step));
    else if (event.key === 'Enter' || event.key === 'Escape' || event.key === 'Tab') setResizing(false);
    if (event.key !== 'Tab') {
      // The grid's own keys rest while the column is being resized.
      event.preventDefault();
      event.stopPropagation();
    }
  };
  const startResizing = () => {
    setResizing(true);
    announce(t('resizeMode', { title: column.title }));
  };

  return (
    <div
      role="columnheader"
      aria-sort={key ? (key.desc ? 'descending' : 'ascending') : sortable ? 'none' : undefined}
      aria-haspopup="menu"
      className={`${names} ${resizing ? classes.resizing : ''} ${over ? classes.dropTarget : ''}`}
      data-column-id={column.id}
      data-sortable={sortable || undefined}
      draggable={!resizing}
      onClick={onClick}
      onKeyDown={onKeyDown}
      // Blur events of the menu arrive here too: React sends them through portals.
      onBlur={(event) => event.target === event.currentTarget && setResizing(false)}
      {...dragHandlers(props, setOver)}
      {...shared}
    >
      <span className={classes.title} data-fit={column.id} title={column.title}>
        {column.title}
      </span>
      {key && (
        <span className={classes.sortMark} aria-hidden="true">
          {key.desc ? <IconArrowDown size={14} /> : <IconArrowUp size={14} />}
          {sort.length > 1 && position + 1}
        </span>
      )}
      <HeaderMenu
        {...props}
        sortable={sortable}
        opened={menu === column.id}
        onChange={(opened) => {
          setMenu(opened ? column.id : null);
          if (!opened) props.focusCell(at);
        }}
        onResize={startResizing}
      >
        <ActionIcon
          className={classes.menuButton}
          data-part="menu"
          size="sm"
          variant="subtle"
          color="gray"
          tabIndex={-1}
          aria-label={t('columnMenu', { title: column.title })}
        >
          <IconChevronDown size={14} />
        </ActionIcon>
      </HeaderMenu>
      {tableColumn.getCanResize() && header && (
        <span
          aria-hidden="true"
          data-part="resizer"
          className={classes.resizer}
          onMouseDown={(event) => {
            // The edge resizes; without this it would also drag the whole header.
            event.preventDefault();
            header.getResizeHandler()(event);
          }}
          onTouchStart={header.getResizeHandler()}
          onDoubleClick={() => props.onFit(column.id)}
        />
      )}
    </div>
  );
}

function dragHandlers<Row>({ column, dragged, setDragged, layout }: Props<Row>, setOver: (over: boolean) => void) {
  const accepts = dragged !== null && dragged !== column.id;
  return {
    onDragStart: (event: DragEvent) => {
      event.dataTransfer.effectAllowed = 'move';
      event.dataTransfer.setData('text/plain', column.title);
      setDragged(column.id);
    },
    onDragOver: (event: DragEvent) => {
      if (!accepts) return;
      event.preventDefault();
      setOver(true);
    },
    onDragLeave: () => setOver(false),
    onDrop: (event: DragEvent) => {
      event.preventDefault();
      setOver(false);
      if (!accepts) return;
      // Dropped on a pinned column: the dragged one joins the pinned ones.
      const pinned = layout.table.getColumn(column.id)?.getIsPinned() || false;
      layout.table.getColumn(dragged)?.pin(pinned);
      layout.moveColumn(dragged, column.id);
      setDragged(null);
    },
    onDragEnd: () => {
      setOver(false);
      setDragged(null);
    },
  };
}
