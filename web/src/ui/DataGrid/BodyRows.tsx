import { Checkbox, Skeleton } from '@mantine/core';
import { Fragment, type MouseEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { cellClasses, cellStyle, growingColumn } from './cellStyle';
import classes from './DataGrid.module.css';
import { orderedColumns } from './HeaderRow';
import { CellEditor as CellInput } from './CellEditor';
import { FailedCell } from './FailedCell';
import { RowMenu } from './RowMenu';
import type { TreeRows } from './tree';
import { TreeToggle } from './TreeToggle';
import { ACTIONS_ID, SELECT_ID, cellText, type GridAction, type GridColumn } from './types';
import type { CellPosition } from './useGridKeyboard';
import type { GridLayout, TableColumn } from './useGridTable';
import type { CellChange } from './cellEdits';
import type { CellEditsState } from './useCellEdits';
import type { CellEditor } from './useCellEditor';
import type { Selection } from './useSelection';
import { InvalidInput } from '../../fields/types';

/** Editing in place, as the rows see it. */
export interface BodyEditing<Row> extends CellEditsState<Row> {
  editor: CellEditor;
  /** The focus is in the grid or in one of its panels. */
  focused: boolean;
  focusCell: (to: CellPosition) => void;
}

export interface BodyProps<Row> {
  layout: GridLayout;
  columns: Map<string, GridColumn<Row>>;
  rows: Row[];
  /** Null when the rows are no tree. */
  tree: TreeRows<Row> | null;
  /** Indexes of the rows to render, rising; what lies between them is empty space. */
  rendered: number[];
  /** Of one row, in pixels. */
  height: number;
  /** Number of the first row in the whole list, 0-based. */
  offset: number;
  rowId: (row: Row) => string;
  rowName: (row: Row) => string;
  rowHref?: (row: Row) => string;
  onOpen?: (row: Row) => void;
  actions: (row: Row) => GridAction<Row>[];
  selection: Selection<Row> | null;
  active: CellPosition;
  titleId: string | undefined;
  flashed: ReadonlySet<string>;
  /** Rows that others have deleted. */
  gone: ReadonlySet<string>;
  /** Null when no cell is edited in place. */
  editing: BodyEditing<Row> | null;
}

export function BodyRows<Row>(props: BodyProps<Row>) {
  const { rows, rendered, height } = props;
  const leaves = orderedColumns(props.layout);
  const grows = growingColumn(props.layout.table);
  const after = rows.length - 1 - (rendered.at(-1) ?? -1);
  return (
    <div role="rowgroup" className={classes.body}>
      {rendered.map((index, position) => {
        const row = rows[index];
        const gap = index - (rendered[position - 1] ?? -1) - 1;
        return row === undefined ? null : (
          <Fragment key={props.rowId(row)}>
            {gap > 0 && <div aria-hidden="true" style={{ height: gap * height }} />}
            <BodyRow {...props} row={row} index={index} leaves={leaves} grows={grows} />
          </Fragment>
        );
      })}
      {after > 0 && <div aria-hidden="true" style={{ height: after * height }} />}
    </div>
  );
}

interface RowProps<Row> extends BodyProps<Row> {
  row: Row;
  index: number;
  leaves: TableColumn[];
  grows: string | undefined;
}

function BodyRow<Row>(props: RowProps<Row>) {
  const { row, index, leaves, grows, columns, selection, active, rowId, offset } = props;
  const id = rowId(row);
  const selected = selection?.isSelected(id);
  const inTree = props.tree?.of(id);
  return (
    <div
      role="row"
      aria-level={inTree && inTree.level + 1}
      aria-expanded={inTree?.isParent ? inTree.isUnfolded : undefined}
      aria-rowindex={offset + index + 2}
      aria-selected={selection ? selected : undefined}
      className={`${classes.row} ${props.flashed.has(id) ? classes.flash : ''} ${props.gone.has(id) ? classes.gone : ''}`}
    >
      {leaves.map((column, at) => {
        const own = columns.get(column.id);
        const change = props.editing?.edits.of(id, column.id);
        const editor = props.editing?.editor;
        const isOpen = editor?.open?.at.row === index && editor.open.at.column === at;
        return (
          <div
            key={column.id}
            role="gridcell"
            data-row={index}
            data-column={at}
            aria-colindex={at + 1}
            tabIndex={active.row === index && active.column === at ? 0 : -1}
            aria-readonly={editor && own ? own.edit === undefined : undefined}
            aria-invalid={change?.state === 'failed' || undefined}
            aria-busy={change?.state === 'saving' || undefined}
            style={cellStyle(column)}
            className={`${classes.cell} ${cellClasses(column, column.id === grows, own?.align)} ${changeClass(change)} ${isOpen ? openClass(own) : ''}`}
            onDoubleClick={own?.edit && editor && !isOpen ? () => editor.start({ row: index, column: at }, null) : undefined}
          >
            <CellContent {...props} columnId={column.id} own={own} at={{ row: index, column: at }} change={change} isOpen={isOpen} />
          </div>
        );
      })}
    </div>
  );
}

/** An input fills the cell; a panel leaves it as it was. */
function openClass<Row>(own: GridColumn<Row> | undefined): string {
  return (own?.edit?.look === 'box' ? classes.boxed : classes.editing) ?? '';
}

function changeClass(change: CellChange | undefined): string {
  if (!change) return '';
  return (change.state === 'failed' ? classes.failed : classes.saving) ?? '';
}

interface ContentProps<Row> extends RowProps<Row> {
  columnId: string;
  own: GridColumn<Row> | undefined;
  at: CellPosition;
  change: CellChange | undefined;
  isOpen: boolean;
}

function CellContent<Row>(props: ContentProps<Row>) {
  const { row, index, columnId, own, selection, actions, rowName, editing, change } = props;
  const { t } = useTranslation('grid');
  if (columnId === SELECT_ID) {
    const onClick = (event: MouseEvent) => selection?.toggle(index, event.shiftKey);
    return (
      <Checkbox
        size="xs"
        tabIndex={-1}
        aria-label={t('selectRow', { name: rowName(row) })}
        checked={selection?.isSelected(props.rowId(row)) ?? false}
        // The change event does not know about Shift; the click does.
        onChange={() => undefined}
        onClick={onClick}
      />
    );
  }
  if (columnId === ACTIONS_ID) return <RowMenu row={row} name={rowName(row)} actions={actions(row)} inGrid />;
  if (!own) return null;
  if (props.isOpen && own.edit && editing?.editor.open) {
    const failed = change?.state === 'failed' ? change.value : undefined;
    return (
      <CellInput column={own} edit={own.edit} row={row} failed={failed} typed={editing.editor.open.typed} onFinish={editing.editor.finish} />
    );
  }
  if (change?.state === 'failed' && editing) return <Failed {...props} own={own} change={change} editing={editing} />;
  const id = props.rowId(row);
  const inTree = columnId === props.titleId ? props.tree?.of(id) : undefined;
  return (
    <span className={classes.content} data-fit={columnId} title={cellText(own, row) || undefined}>
      {inTree && <TreeToggle row={inTree} name={rowName(row)} onToggle={() => props.tree?.toggle(id)} tabIndex={-1} />}
      <LinkedContent {...props} own={own} tabIndex={-1} />
    </span>
  );
}

/** A cell whose value was not saved. */
function Failed<Row>(props: ContentProps<Row> & { own: GridColumn<Row>; change: CellChange; editing: BodyEditing<Row> }) {
  const { editing, change, own, at, row, rowId, active } = props;
  const { edits, editor, focusCell } = editing;
  const typed = change.value instanceof InvalidInput ? change.value.text : null;
  return (
    <FailedCell
      reason={change.reason ?? ''}
      opened={editing.focused && editor.open === null && active.row === at.row && active.column === at.column}
      onRetry={
        typed === null
          ? () => {
              void edits.retry(rowId(row));
              focusCell(at);
            }
          : null
      }
      onEdit={() => {
        // A yes/no has no input: the refused value is given up and the cell turned over again.
        if (own.edit?.look === 'toggle') edits.discard(rowId(row), own.id);
        else editor.start(at, null);
      }}
      onDiscard={() => {
        edits.discard(rowId(row), own.id);
        focusCell(at);
      }}
      onClose={() => focusCell(at)}
    >
      {typed ?? (own.cell ? own.cell(row) : cellText(own, row))}
    </FailedCell>
  );
}

type LinkProps<Row> = Pick<BodyProps<Row>, 'rowHref' | 'onOpen' | 'titleId' | 'rowName'> & {
  row: Row;
  own: GridColumn<Row>;
  tabIndex: number;
};

/** The title column leads to the record; a modified click is left to the browser. */
export function LinkedContent<Row>({ row, own, rowHref, onOpen, titleId, rowName, tabIndex }: LinkProps<Row>) {
  const content = own.cell ? own.cell(row) : cellText(own, row);
  if (own.id !== titleId || (!rowHref && !onOpen)) return content;
  const onClick = (event: MouseEvent) => {
    if (!onOpen || event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    onOpen(row);
  };
  const inner = content === '' || content === null ? rowName(row) : content;
  if (!rowHref) {
    return (
      <button type="button" className={classes.linkButton} tabIndex={tabIndex} onClick={onClick}>
        {inner}
      </button>
    );
  }
  return (
    <a className={classes.link} href={rowHref(row)} tabIndex={tabIndex} onClick={onClick} draggable={false}>
      {inner}
    </a>
  );
}

const SKELETON_ROWS = 8;

/** Eight rows with the widths the real ones will have. */
export function SkeletonRows({ layout }: { layout: GridLayout }) {
  const grows = growingColumn(layout.table);
  return (
    <div className={classes.body} aria-hidden="true">
      {Array.from({ length: SKELETON_ROWS }, (_, row) => (
        <div key={row} className={classes.row}>
          {orderedColumns(layout).map((column) => (
            <div
              key={column.id}
              style={cellStyle(column)}
              className={`${classes.cell} ${cellClasses(column, column.id === grows, undefined)}`}
            >
              <Skeleton height={12} width={column.id === SELECT_ID || column.id === ACTIONS_ID ? 16 : '70%'} />
            </div>
          ))}
        </div>
      ))}
    </div>
  );
}
