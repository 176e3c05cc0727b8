import type { ClipboardEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { toast } from '../toasts';
import { copyText, toTsv } from './clipboard';
import type { TableViewProps } from './GridTableView';
import type { CellEditor } from './useCellEditor';
import { positionOf } from './useGridKeyboard';
import type { TableColumn } from './useGridTable';
import { isTyping } from './useShortcuts';

interface Handlers {
  onCopy: (event: ClipboardEvent) => void;
  onPaste: (event: ClipboardEvent) => void;
}

/** Copy gives the cell, or the selected rows as they are shown; paste fills cells from the focused one on. */
export function useClipboard<Row extends object>(props: TableViewProps<Row>, editor: CellEditor, leaves: TableColumn[]): Handlers {
  const { t } = useTranslation('grid');
  const columns = leaves.map((leaf) => props.columns.find((column) => column.id === leaf.id));
  const onCopy = (event: ClipboardEvent) => {
    const at = positionOf(event.target as Element);
    if (!at || isTyping(event.target) || window.getSelection()?.toString()) return;
    const chosen = props.selection?.value.rows ?? [];
    const row = props.rows[at.row];
    const column = columns[at.column];
    const shown = columns.filter((own) => own !== undefined);
    const text = chosen.length > 0 ? toTsv(shown, chosen) : column && (row ? copyText(column, row) : column.title);
    if (text === undefined) return;
    event.preventDefault();
    event.clipboardData.setData('text/plain', text);
    props.announce(t('copied'));
  };
  const onPaste = (event: ClipboardEvent) => {
    const at = positionOf(event.target as Element);
    if (!at || at.row < 0 || !props.cellEdits || isTyping(event.target)) return;
    event.preventDefault();
    const text = event.clipboardData.getData('text/plain');
    if (text === '') return;
    const { taken, skipped, beyond } = editor.paste(at, text);
    const parts = [
      t('paste.taken', { count: taken }),
      ...(skipped > 0 ? [t('paste.skipped', { count: skipped })] : []),
      ...(beyond > 0 ? [t('paste.beyond', { count: beyond })] : []),
    ];
    if (parts.length > 1) toast.info(parts.join(' '), 8_000);
    else props.announce(parts.join(' '));
  };
  return { onCopy, onPaste };
}
