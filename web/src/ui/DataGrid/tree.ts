/** Rows of a tree in a list: all in one sequence, children right behind their parent, some folded away. */
import { useEffect, useMemo, useState } from 'react';

export interface GridTree<Row> {
  /** How deep a row is; 0 at the top. */
  levelOf: (row: Row) => number;
  /** Everything is unfolded at first, as after a search; else nothing is. */
  unfolded: boolean;
}

export interface TreeRow {
  level: number;
  /** It has children. */
  isParent: boolean;
  isUnfolded: boolean;
}

export interface TreeRows<Row> {
  rows: Row[];
  /** Rows at the top, whatever is folded. */
  roots: number;
  of: (id: string) => TreeRow | undefined;
  toggle: (id: string) => void;
}

/** The rows to show, and how each stands in the tree. `toggled` are ids that are not as they are at first. */
export function visibleRows<Row>(all: Row[], tree: GridTree<Row>, rowId: (row: Row) => string, toggled: ReadonlySet<string>) {
  const rows: Row[] = [];
  const known = new Map<string, TreeRow>();
  // Deeper rows are left out while this is set.
  let folded: number | null = null;
  all.forEach((row, index) => {
    const level = tree.levelOf(row);
    if (folded !== null && level > folded) return;
    const next = all[index + 1];
    const isParent = next !== undefined && tree.levelOf(next) > level;
    const isUnfolded = isParent && toggled.has(rowId(row)) !== tree.unfolded;
    folded = isParent && !isUnfolded ? level : null;
    rows.push(row);
    known.set(rowId(row), { level, isParent, isUnfolded });
  });
  return { rows, known };
}

const NONE: ReadonlySet<string> = new Set();

export function useTreeRows<Row>(all: Row[], tree: GridTree<Row> | undefined, rowId: (row: Row) => string): TreeRows<Row> | null {
  const [toggled, setToggled] = useState(NONE);
  const unfolded = tree?.unfolded ?? false;
  useEffect(() => setToggled(NONE), [unfolded]);
  return useMemo(() => {
    if (!tree) return null;
    const { rows, known } = visibleRows(all, tree, rowId, toggled);
    return {
      rows,
      roots: all.filter((row) => tree.levelOf(row) === 0).length,
      of: (id) => known.get(id),
      toggle: (id) =>
        setToggled((old) => {
          const next = new Set(old);
          if (!next.delete(id)) next.add(id);
          return next;
        }),
    };
  }, [all, tree, rowId, toggled]);
}
