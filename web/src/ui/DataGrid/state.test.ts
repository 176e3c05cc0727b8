import { describe, expect, it } from 'vitest';
import { toTsv } from './clipboard';
import { cycleSort } from './HeaderCell';
import { localPage } from './localPage';
import { formatSort, parseGridSearch, parseSort, patchSearch } from './urlState';
import { nextPosition } from './useGridKeyboard';
import { moved } from './useGridTable';

describe('state of a list in the URL', () => {
  it('reads what it wrote', () => {
    expect(formatSort(parseSort('-createdAt,name'))).toBe('-createdAt,name');
    expect(parseSort(' , -,a ')).toEqual([{ id: 'a', desc: false }]);
  });

  it('drops what it does not know', () => {
    expect(parseGridSearch({ q: 12, sort: '', page: 0, size: 33, filter: '{"a":', other: 1 })).toEqual({ q: '12' });
    expect(parseGridSearch({ page: '3', size: 50, filter: '{"a":1}' })).toEqual({ page: 3, size: 50, filter: { a: 1 } });
    expect(parseGridSearch({ filter: [1], page: 2.5 })).toEqual({});
  });

  it('goes back to page 1 on any change but paging, and leaves defaults out', () => {
    expect(patchSearch({ q: 'a', page: 3 }, { sort: [{ id: 'x', desc: true }] }, 20)).toEqual({ q: 'a', sort: '-x' });
    expect(patchSearch({ q: 'a' }, { page: 2 }, 20)).toEqual({ q: 'a', page: 2 });
    expect(patchSearch({ q: 'a', size: 50 }, { q: '', size: 20 }, 20)).toEqual({ q: undefined, size: undefined });
  });
});

describe('sorting', () => {
  it('cycles ascending, descending, none', () => {
    const once = cycleSort([], 'a', false);
    expect(once).toEqual([{ id: 'a', desc: false }]);
    const twice = cycleSort(once, 'a', false);
    expect(twice).toEqual([{ id: 'a', desc: true }]);
    expect(cycleSort(twice, 'a', false)).toEqual([]);
    expect(cycleSort(once, 'b', true)).toEqual([{ id: 'a', desc: false }, { id: 'b', desc: false }]);
    expect(cycleSort([{ id: 'a', desc: true }, { id: 'b', desc: false }], 'a', true)).toEqual([{ id: 'b', desc: false }]);
  });

  it('sorts numbers in texts as people do and pages in memory', () => {
    const rows = [{ n: 'a10' }, { n: 'a9' }, { n: '' }];
    const state = { q: '', filter: null, sort: [{ id: 'n', desc: true }], page: 1, size: 2 };
    expect(localPage(rows, state, [{ id: 'n', title: 'N' }])).toEqual({ rows: [{ n: 'a10' }, { n: 'a9' }], total: 3 });
    expect(localPage(rows, { ...state, q: 'A9' }, [{ id: 'n', title: 'N' }]).rows).toEqual([{ n: 'a9' }]);
  });
});

describe('parts of the grid', () => {
  it('stays inside the grid', () => {
    const size = { rows: 0, columns: 2, page: 5 };
    expect(nextPosition('ArrowDown', false, { row: -1, column: 0 }, size)).toEqual({ row: -1, column: 0 });
    expect(nextPosition('PageUp', false, { row: -1, column: 0 }, size)).toEqual({ row: -1, column: 0 });
    expect(nextPosition('x', false, { row: 0, column: 0 }, size)).toBeNull();
  });

  it('moves columns', () => {
    expect(moved(['a', 'b', 'c'], 'a', 'c')).toEqual(['b', 'c', 'a']);
    expect(moved(['a', 'b', 'c'], 'c', 'a')).toEqual(['c', 'a', 'b']);
    expect(moved(['a'], 'x', 'a')).toEqual(['a']);
  });

  it('copies cells so that spreadsheets keep them apart', () => {
    const rows = [{ a: 'x\ty', b: 'say "hi"' }];
    expect(toTsv([{ id: 'a', title: 'A' }, { id: 'b', title: 'B' }], rows)).toBe('"x\ty"\t"say ""hi"""');
  });
});
