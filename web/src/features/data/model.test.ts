import { describe, expect, it } from 'vitest';
import { appendsOf, keyField, listFields, recordTitle, shownFields, titleField, withImpliedFields, type CollectionMeta } from './model';

const orders: CollectionMeta = {
  name: 'orders',
  title: '{{t("Orders")}}',
  fields: [
    { name: 'id', type: 'bigInt', interface: 'id', primaryKey: true, autoIncrement: true },
    { name: 'createdAt', type: 'date', interface: 'createdAt' },
    { name: 'total', type: 'decimal', interface: 'number' },
    { name: 'code', type: 'string', interface: 'input', uiSchema: { title: 'Code' } },
    { name: 'buyer', type: 'belongsTo', interface: 'm2o' },
    { name: 'secret', type: 'password' },
    { name: 'buyerId', type: 'bigInt', isForeignKey: true },
  ],
};

describe('collection model', () => {
  it('finds key and title', () => {
    expect(keyField(orders)).toBe('id');
    expect(keyField({ name: 'x', filterTargetKey: 'uid', fields: [] })).toBe('uid');
    expect(keyField({ name: 'x', fields: [{ name: 'a', type: 'string' }] })).toBeNull();
    expect(titleField(orders)?.name).toBe('code');
    expect(titleField({ ...orders, titleField: 'total' })?.name).toBe('total');
  });

  it('shows plain values only, the title first and the system fields last', () => {
    expect(shownFields(orders).map((field) => field.name)).toEqual(['id', 'createdAt', 'total', 'code']);
    expect(listFields(orders).map((field) => field.name)).toEqual(['code', 'total', 'id', 'createdAt']);
  });

  it('adds the fields that options switch on', () => {
    const bare = withImpliedFields({ name: 'x', createdAt: true, fields: [{ name: 'a', type: 'string' }] });
    expect(bare.fields?.map((field) => field.name)).toEqual(['a', 'id', 'createdAt']);
    expect(keyField(bare)).toBe('id');
    expect(withImpliedFields(orders)).toBe(orders);
    const made = withImpliedFields({ ...orders, createdBy: true });
    expect(appendsOf(made)).toEqual(['createdBy']);
    expect(shownFields(made).at(-1)?.name).toBe('createdBy');
  });

  it('names a record', () => {
    expect(recordTitle(orders, { id: 3, code: 'A-3' })).toBe('A-3');
    expect(recordTitle(orders, { id: 3, code: null })).toBe('Orders 3');
  });
});
