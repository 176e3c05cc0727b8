import { describe, expect, it } from 'vitest';

import { filterPalette, MOST_PER_SECTION, splitQuery } from '../../src/features/shell/paletteFilter';

const group = (name: string, ids: string[]) => ({ group: name, actions: ids.map((id) => ({ id, label: id })) });
const GROUPS = [
  group('recent', ['recent-/admin/apps']),
  group('pages', ['page-data']),
  group('records', ['record-deals-1']),
  group('apps', ['app-crm', 'app-shop']),
  group('actions', ['action-dark', 'action-start-crm']),
];
const shown = (query: string) => filterPalette(query, GROUPS).map((each) => ('group' in each ? each.group : each.id));

describe('palette', () => {
  it('reads the sign in front of the words', () => {
    expect(splitQuery('> dark ')).toEqual({ only: 'actions', words: 'dark' });
    expect(splitQuery('#crm')).toEqual({ only: 'apps', words: 'crm' });
    expect(splitQuery(' dark')).toEqual({ only: null, words: 'dark' });
  });

  it('shows what was used lately only while nothing is typed', () => {
    expect(shown('')).toContain('recent');
    expect(shown('apps')).not.toContain('recent');
  });

  it('keeps to one section behind > and #', () => {
    expect(shown('>')).toEqual(['actions']);
    expect(shown('#shop')).toEqual(['apps']);
  });

  it('keeps records that the server found, whatever their title', () => {
    expect(shown('anna')).toEqual(['records']);
  });

  it('shows at most seven of a section', () => {
    const many = group('apps', Array.from({ length: 20 }, (_, index) => `app-${index}`));
    const [only] = filterPalette('', [many]);
    expect(only && 'actions' in only ? only.actions.length : 0).toBe(MOST_PER_SECTION);
  });
});
