import { Checkbox, VisuallyHidden } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { cellClasses, cellStyle, growingColumn } from './cellStyle';
import classes from './DataGrid.module.css';
import { HeaderCell } from './HeaderCell';
import { ACTIONS_ID, SELECT_ID, type GridColumn, type SortKey } from './types';
import type { GridLayout } from './useGridTable';
import type { CellPosition } from './useGridKeyboard';
import type { Selection } from './useSelection';

export interface HeaderRowProps<Row> {
  layout: GridLayout;
  columns: Map<string, GridColumn<Row>>;
  sort: SortKey[];
  onSort: (sort: SortKey[]) => void;
  onFilter?: (id: string) => void;
  onFit: (id: string) => void;
  selection: Selection<Row> | null;
  active: CellPosition;
  focusCell: (to: CellPosition) => void;
  /** Column whose menu is open; the grid opens it on Enter. */
  menu: string | null;
  setMenu: (id: string | null) => void;
  announce: (text: string) => void;
  busy: boolean;
}

export function HeaderRow<Row>(props: HeaderRowProps<Row>) {
  const { layout, columns, selection, active } = props;
  const { t } = useTranslation('grid');
  const [dragged, setDragged] = useState<string | null>(null);
  const leaves = layout.table.getVisibleLeafColumns();
  const grows = growingColumn(layout.table);
  return (
    <div role="rowgroup" className={classes.head}>
      <div role="row" aria-rowindex={1} className={classes.row}>
        {orderedColumns(layout).map((column, index) => {
          const own = columns.get(column.id);
          const shared = {
            'data-row': -1,
            'data-column': index,
            'aria-colindex': index + 1,
            tabIndex: active.row === -1 && active.column === index ? 0 : -1,
            style: cellStyle(column),
          };
          const names = `${classes.headCell} ${cellClasses(column, column.id === grows, own?.align)}`;
          if (column.id === SELECT_ID) {
            return (
              <div key={column.id} role="columnheader" className={names} {...shared}>
                <Checkbox
                  size="xs"
                  tabIndex={-1}
                  aria-label={t('selectPage')}
                  checked={selection?.pageState === 'all'}
                  indeterminate={selection?.pageState === 'some'}
                  onChange={() => selection?.togglePage()}
                />
              </div>
            );
          }
          if (column.id === ACTIONS_ID || !own) {
            return (
              <div key={column.id} role="columnheader" className={names} {...shared}>
                <VisuallyHidden>{t('rowActions')}</VisuallyHidden>
              </div>
            );
          }
          return (
            <HeaderCell
              key={column.id}
              {...props}
              tableColumn={column}
              column={own}
              names={names}
              shared={shared}
              dragged={dragged}
              setDragged={setDragged}
            />
          );
        })}
      </div>
      {props.busy && leaves.length > 0 && <div className={classes.progress} aria-hidden="true" />}
    </div>
  );
}

/** Columns from left to right: pinned, movable, pinned. */
export function orderedColumns(layout: GridLayout) {
  const { table } = layout;
  return [
    ...table.getPinnedVisibleLeafColumns('start'),
    ...table.getPinnedVisibleLeafColumns('center'),
    ...table.getPinnedVisibleLeafColumns('end'),
  ];
}
