/** Tab-separated text as spreadsheets write and read it. */
import { cellText, type GridColumn } from './types';

/** Text of a cell for other programs. */
export function copyText<Row>(column: GridColumn<Row>, row: Row): string {
  return column.copy ? column.copy(row) : cellText(column, row);
}

/** Tabs and line breaks inside a cell are quoted. */
export function toTsv<Row>(columns: GridColumn<Row>[], rows: Row[]): string {
  const quote = (text: string) => (/[\t\n\r"]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return rows.map((row) => columns.map((column) => quote(copyText(column, row))).join('\t')).join('\n');
}

/** Lines of cells; a quoted cell may hold tabs and line breaks. The line break at the very end starts no line. */
export function fromTsv(text: string): string[][] {
  const lines: string[][] = [[]];
  let rest = text.replaceAll(/\r\n?/g, '\n').replace(/\n$/, '');
  for (;;) {
    const quoted = /^"((?:[^"]|"")*)"(?=[\t\n]|$)/.exec(rest);
    const raw = quoted?.[0] ?? /^[^\t\n]*/.exec(rest)?.[0] ?? '';
    lines.at(-1)?.push(quoted?.[1]?.replaceAll('""', '"') ?? raw);
    const end = rest.charAt(raw.length);
    if (end === '') return lines;
    if (end === '\n') lines.push([]);
    rest = rest.slice(raw.length + 1);
  }
}
