import { Menu } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { GridColumn, SortKey } from './types';
import type { GridLayout, TableColumn } from './useGridTable';

interface Props<Row> {
  tableColumn: TableColumn;
  column: GridColumn<Row>;
  layout: GridLayout;
  sort: SortKey[];
  onSort: (sort: SortKey[]) => void;
  onFilter?: (id: string) => void;
  onFit: (id: string) => void;
  sortable: boolean;
  opened: boolean;
  onChange: (opened: boolean) => void;
  onResize: () => void;
  children: ReactNode;
}

export function HeaderMenu<Row>(props: Props<Row>) {
  const { tableColumn, column, layout, sort, onSort, onFilter } = props;
  const { t } = useTranslation('grid');
  const pinned = tableColumn.getIsPinned();
  const sorted = sort.find((key) => key.id === column.id);
  const sortBy = (desc: boolean) => onSort([{ id: column.id, desc }]);
  return (
    <Menu opened={props.opened} onChange={props.onChange} position="bottom-start" withinPortal returnFocus={false} withInitialFocusPlaceholder={false}>
      <Menu.Target>{props.children}</Menu.Target>
      <Menu.Dropdown data-part="menu">
        {props.sortable && (
          <>
            <Menu.Item onClick={() => sortBy(false)} disabled={sorted?.desc === false}>
              {t('sortAsc')}
            </Menu.Item>
            <Menu.Item onClick={() => sortBy(true)} disabled={sorted?.desc === true}>
              {t('sortDesc')}
            </Menu.Item>
            {sorted && (
              <Menu.Item onClick={() => onSort(sort.filter((key) => key.id !== column.id))}>{t('sortNone')}</Menu.Item>
            )}
            <Menu.Divider />
          </>
        )}
        {onFilter && <Menu.Item onClick={() => onFilter(column.id)}>{t('filterColumn')}</Menu.Item>}
        {pinned !== 'start' && <Menu.Item onClick={() => tableColumn.pin('start')}>{t('pinLeft')}</Menu.Item>}
        {pinned !== 'end' && <Menu.Item onClick={() => tableColumn.pin('end')}>{t('pinRight')}</Menu.Item>}
        {pinned && <Menu.Item onClick={() => tableColumn.pin(false)}>{t('unpin')}</Menu.Item>}
        <Menu.Item onClick={() => layout.shiftColumn(column.id, -1)}>{t('moveLeft')}</Menu.Item>
        <Menu.Item onClick={() => layout.shiftColumn(column.id, 1)}>{t('moveRight')}</Menu.Item>
        <Menu.Divider />
        <Menu.Item onClick={props.onResize}>{t('resize')}</Menu.Item>
        <Menu.Item onClick={() => props.onFit(column.id)}>{t('fit')}</Menu.Item>
        {tableColumn.getCanHide() && (
          <Menu.Item onClick={() => tableColumn.toggleVisibility(false)}>{t('hide')}</Menu.Item>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
