import { describe, expect, it } from 'vitest';
import type { FieldMeta } from '../../fields';
import { changedValues, mergedValues, othersChanges, sameValue } from './recordChanges';

const related = { collection: 'tags', collectionTitle: 'Tags', key: 'id' };
const title: FieldMeta = { name: 'title', type: 'string', interface: 'input' };
const price: FieldMeta = { name: 'price', type: 'integer', interface: 'integer' };
const owner: FieldMeta = { name: 'owner', type: 'belongsTo', interface: 'm2o', related };
const tags: FieldMeta = { name: 'tags', type: 'belongsToMany', interface: 'm2m', related };
const keys: FieldMeta = { name: 'keys', type: 'belongsToArray', interface: 'mbm', related };
const FIELDS = [title, price, owner, tags, keys];
const BEFORE = { title: 'a', price: 1, owner: { id: 1, name: 'x' }, tags: [{ id: 1 }, { id: 2 }], keys: [{ id: 1 }, { id: 2 }] };

describe('what a form sends', () => {
  it('compares linked records by their keys, those kept elsewhere in no order', () => {
    expect(sameValue(owner, { id: 1, name: 'x' }, { id: 1, name: 'renamed' })).toBe(true);
    expect(sameValue(owner, { id: 1 }, null)).toBe(false);
    expect(sameValue(tags, [{ id: 2 }, { id: 1 }], BEFORE.tags)).toBe(true);
    expect(sameValue(keys, [{ id: 2 }, { id: 1 }], BEFORE.keys)).toBe(false);
  });

  it('adds and removes single links instead of setting them all', () => {
    const values = { ...BEFORE, title: '', tags: [{ id: 2 }, { id: 3 }] };
    expect(changedValues(FIELDS, values, BEFORE, false)).toEqual({ title: null, tags: { $add: [3], $remove: [1] } });
    expect(changedValues(FIELDS, values, BEFORE, true).tags).toEqual(values.tags);
  });
});

describe('what others changed', () => {
  it('is contested only where it was changed here too, to something else', () => {
    const mine = { ...BEFORE, title: 'mine', price: 5 };
    const theirs = { ...BEFORE, title: 'theirs', price: 5, owner: null };
    expect(othersChanges(FIELDS, BEFORE, mine, theirs).map(({ field, isContested }) => [field.name, isContested])).toEqual([
      ['title', true], ['price', false], ['owner', false],
    ]);
    expect(othersChanges(FIELDS, BEFORE, mine, BEFORE)).toEqual([]);
  });

  it('is merged field by field, and link by link', () => {
    const mine = { ...BEFORE, title: 'mine', price: 5, tags: [{ id: 2 }, { id: 3 }] };
    const theirs = { ...BEFORE, title: 'theirs', owner: null, tags: [{ id: 1 }, { id: 2 }, { id: 4 }] };
    expect(mergedValues(FIELDS, BEFORE, mine, theirs, new Set())).toEqual({
      ...BEFORE, title: 'mine', price: 5, owner: null, tags: [{ id: 2 }, { id: 4 }, { id: 3 }],
    });
    expect(mergedValues(FIELDS, BEFORE, mine, theirs, new Set(['title'])).title).toBe('theirs');
  });
});
