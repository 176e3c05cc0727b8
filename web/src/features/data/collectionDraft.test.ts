import { describe, expect, it } from 'vitest';
import { interfaceById } from '../../fields';
import { checkCollection, collectionBody, emptyCollection } from './collectionDraft';
import { draftOf } from './fieldDraft';

const orders = () => ({
  ...emptyCollection(),
  title: 'Orders ',
  name: 'orders',
  presets: ['createdAt' as const],
  fields: [draftOf(interfaceById('text'), 'Code'), draftOf(interfaceById('text'))],
});

describe('new collection', () => {
  it('describes the collection as the API wants it', () => {
    expect(collectionBody(orders())).toEqual({
      name: 'orders',
      title: 'Orders',
      template: 'general',
      autoGenId: false,
      createdAt: true,
      updatedAt: false,
      createdBy: false,
      updatedBy: false,
      fields: [
        { name: 'id', interface: 'id', type: 'bigInt', autoIncrement: true, primaryKey: true, allowNull: false },
        { name: 'code', interface: 'input', type: 'string', uiSchema: { title: 'Code' } },
        { name: 'createdAt', interface: 'createdAt', type: 'date' },
      ],
    });
  });

  it('says what is missing and where', () => {
    expect(checkCollection(orders(), [])).toEqual({});
    expect(checkCollection(emptyCollection(), [])).toEqual({ title: 'collections.titleMissing' });
    expect(checkCollection(orders(), ['orders'])).toEqual({ name: 'name.taken' });
    const twice = { ...orders(), fields: [draftOf(interfaceById('text'), 'Code'), draftOf(interfaceById('integer'), 'Code')] };
    expect(checkCollection(twice, [])).toEqual({ 'field.0': 'name.taken', 'field.1': 'name.taken' });
    expect(checkCollection({ ...orders(), fields: [draftOf(interfaceById('text'), 'Id')] }, [])).toEqual({ 'field.0': 'name.taken' });
  });

  it('makes trees, whose own fields keep their names', () => {
    expect(collectionBody({ ...orders(), tree: true })).toMatchObject({ template: 'tree', tree: 'adjacency-list' });
    const named = { ...orders(), fields: [draftOf(interfaceById('text'), 'Parent')] };
    expect(checkCollection(named, [])).toEqual({});
    expect(checkCollection({ ...named, tree: true }, [])).toEqual({ 'field.0': 'name.taken' });
  });
});
