import { describe, expect, it } from 'vitest';
import { visibleRows } from './tree';

const rows = [['a', 0], ['a1', 1], ['a11', 2], ['a2', 1], ['b', 0], ['c', 0], ['c1', 1]].map(([id, level]) => ({ id: String(id), level: Number(level) }));

const shown = (unfolded: boolean, ...toggled: string[]) => {
  const tree = { levelOf: (row: { level: number }) => row.level, unfolded };
  return visibleRows(rows, tree, (row) => row.id, new Set(toggled));
};
const ids = (unfolded: boolean, ...toggled: string[]) => shown(unfolded, ...toggled).rows.map((row) => row.id).join(' ');

describe('rows of a tree', () => {
  it('are folded until somebody unfolds them, level by level', () => {
    expect(ids(false)).toBe('a b c');
    expect(ids(false, 'a')).toBe('a a1 a2 b c');
    expect(ids(false, 'a', 'a1')).toBe('a a1 a11 a2 b c');
    expect(ids(false, 'a1')).toBe('a b c');
  });

  it('are all there after a search, until somebody folds them', () => {
    expect(ids(true)).toBe('a a1 a11 a2 b c c1');
    expect(ids(true, 'a')).toBe('a b c c1');
  });

  it('know how they stand', () => {
    const { known } = shown(false, 'a');
    expect(known.get('a')).toEqual({ level: 0, isParent: true, isUnfolded: true });
    expect(known.get('a1')).toEqual({ level: 1, isParent: true, isUnfolded: false });
    expect(known.get('b')).toEqual({ level: 0, isParent: false, isUnfolded: false });
  });
});
