import { cellText, type GridColumn } from './types';

/** Tab-separated text as spreadsheets read it: tabs and line breaks inside a cell are quoted. */
export function toTsv<Row>(columns: GridColumn<Row>[], rows: Row[], withHeader = false): string {
  const quote = (text: string) => (/[\t\n\r"]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const lines = rows.map((row) => columns.map((column) => quote(cellText(column, row))).join('\t'));
  if (withHeader) lines.unshift(columns.map((column) => quote(column.title)).join('\t'));
  return lines.join('\n');
}
