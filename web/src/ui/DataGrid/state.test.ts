import { describe, expect, it } from 'vitest';
import { toTsv } from './clipboard';
import { cycleSort } from './HeaderCell';
import { localPage } from './localPage';
import { formatSort, parseGridSearch, parseSort, parseViewSearch, patchSearch, stateOf } from './urlState';
import { nextPosition } from './useGridKeyboard';
import { moved } from './useGridTable';
import type { SavedView } from './views';

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

describe('a list in a saved view', () => {
  const view: SavedView = {
    id: 'v_1', title: 'Open', shared: false, editable: true, filter: { done: { $isFalsy: true } }, sort: ['-due', 'name'], columns: null, density: null,
  };
  const search = { view: 'v_1' };

  it('shows what the view says, and what the address says instead', () => {
    expect(stateOf(search, view, 50)).toEqual({ q: '', filter: view.filter, sort: parseSort('-due,name'), page: 1, size: 50 });
    expect(stateOf(parseViewSearch({ view: 'v_1', filter: {}, sort: '-' }), view, 20)).toMatchObject({ filter: null, sort: [] });
    expect(stateOf(parseViewSearch({ view: 'v_1', filter: { a: 1 } }), view, 20)).toMatchObject({ filter: { a: 1 }, sort: parseSort('-due,name') });
  });

  it('says in the address only what differs', () => {
    const without = patchSearch(search, { filter: null, sort: [] }, 20, view);
    expect(without).toEqual({ view: 'v_1', filter: {}, sort: '-' });
    expect(patchSearch(without, { filter: view.filter, sort: parseSort('-due,name') }, 20, view)).toEqual({ view: 'v_1', filter: undefined, sort: undefined });
  });

  it('keeps an empty filter only where it means something', () => {
    expect(parseViewSearch({ filter: {}, sort: '-' })).toEqual({});
    expect(parseGridSearch({ view: 'cards', filter: {} })).toEqual({});
    expect(parseViewSearch({ filter: {}, sort: '-', view: 'v_1' })).toEqual({ filter: {}, sort: '-', view: 'v_1' });
    expect(patchSearch({ filter: { a: 1 } }, { filter: null }, 20)).toEqual({ filter: undefined });
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
