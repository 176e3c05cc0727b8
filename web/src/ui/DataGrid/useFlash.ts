import { useEffect, useRef, useState } from 'react';

const FLASH_MS = 1_600;
const NONE: ReadonlySet<string> = new Set();

/**
 * Ids of rows that changed while the list stayed the same one; they flash once. Rows in `expected` do not:
 * who edits a cell sees the new value already.
 */
export function useFlash<Row>(rows: Row[], rowId: (row: Row) => string, listKey: string, expected: Set<string>): ReadonlySet<string> {
  const before = useRef<{ key: string; texts: Map<string, string> } | null>(null);
  const [flashed, setFlashed] = useState(NONE);
  useEffect(() => {
    const texts = new Map(rows.map((row) => [rowId(row), JSON.stringify(row)]));
    const old = before.current;
    before.current = { key: listKey, texts };
    if (old?.key !== listKey || old.texts.size === 0) return;
    const changed = [...texts].filter(([id, text]) => old.texts.get(id) !== text).map(([id]) => id);
    const foreign = changed.filter((id) => !expected.delete(id));
    // Everything new at once is another list, not a change.
    if (foreign.length === 0 || (changed.length === texts.size && changed.length > 1)) return;
    setFlashed(new Set(foreign));
    const timer = window.setTimeout(() => setFlashed(NONE), FLASH_MS);
    return () => window.clearTimeout(timer);
  }, [rows, rowId, listKey, expected]);
  return flashed;
}
