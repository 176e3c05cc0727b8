export { DataGrid, type DataGridProps } from './DataGrid';
export { localPage, useLocalPage } from './localPage';
export { formatSort, parseGridSearch, parseSort, useGridState, type GridSearch } from './urlState';
export { isTyping, useShortcuts } from './useShortcuts';
export type {
  GridAction,
  GridBulkAction,
  CellInputProps,
  GridCellEdit,
  GridColumn,
  GridEditing,
  GridEmpty,
  GridLive,
  GridPage,
  GridQuery,
  GridSelection,
  GridState,
  SortKey,
} from './types';
