import { useEffect, useRef, useState } from 'react';

const FLASH_MS = 1_600;
const NONE: ReadonlySet<string> = new Set();

/** Ids of rows that changed while the list stayed the same one; they flash once. */
export function useFlash<Row>(rows: Row[], rowId: (row: Row) => string, listKey: string): ReadonlySet<string> {
  const before = useRef<{ key: string; texts: Map<string, string> } | null>(null);
  const [flashed, setFlashed] = useState(NONE);
  useEffect(() => {
    const texts = new Map(rows.map((row) => [rowId(row), JSON.stringify(row)]));
    const old = before.current;
    before.current = { key: listKey, texts };
    if (old?.key !== listKey || old.texts.size === 0) return;
    const changed = [...texts].filter(([id, text]) => old.texts.get(id) !== text).map(([id]) => id);
    // Everything new at once is another list, not a change.
    if (changed.length === 0 || changed.length === texts.size) return;
    setFlashed(new Set(changed));
    const timer = window.setTimeout(() => setFlashed(NONE), FLASH_MS);
    return () => window.clearTimeout(timer);
  }, [rows, rowId, listKey]);
  return flashed;
}
