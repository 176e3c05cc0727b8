export { DataGrid, type DataGridProps } from './DataGrid';
export { localPage, useLocalPage } from './localPage';
export { formatSort, parseGridSearch, parseSort, parseViewSearch, useGridState, type GridSearch, type ViewSearch } from './urlState';
export { useShownColumns } from './useGridTable';
export type { GridTree } from './tree';
export type { GridViews, SavedView } from './views';
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
