import { describe, expect, it } from 'vitest';
import { inSequence, levelOf, sortOf } from './queries';
import { recordFilterFields } from './recordColumns';
import { appendsOf, columnFields, formFields, recordFields, keyField, listFields, recordTitle, shownFields, titleField, toMany, withImpliedFields, withRelated, type CollectionMeta } from './model';

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

const [linkedOrders, customers] = withRelated([
  {
    ...orders,
    fields: [
      ...(orders.fields ?? []).map((field) => (field.name === 'buyer' ? { ...field, target: 'customers', targetKey: 'id' } : field)),
      { name: 'lines', type: 'hasMany', interface: 'o2m', target: 'customers', sourceKey: 'id', targetKey: 'id' },
      { name: 'lost', type: 'belongsTo', interface: 'm2o', target: 'nowhere' },
    ],
  },
  { name: 'customers', title: 'Customers', fields: [{ name: 'id', type: 'bigInt', primaryKey: true }, { name: 'name', type: 'string' }] },
]);

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
    expect(appendsOf(shownFields(made))).toEqual(['createdBy']);
    expect(shownFields(made).at(-1)?.name).toBe('createdBy');
  });

  it('knows what relations lead to', () => {
    if (!linkedOrders || !customers) throw new Error('both are there');
    const names = (fields: { name: string }[]) => fields.map((field) => field.name);
    expect(linkedOrders.fields?.find((field) => field.name === 'buyer')?.related).toMatchObject({ collection: 'customers', collectionTitle: 'Customers', key: 'id', title: { name: 'name' } });
    expect(names(shownFields(linkedOrders))).toEqual(['id', 'createdAt', 'total', 'code', 'buyer', 'lines']);
    expect(appendsOf(shownFields(linkedOrders))).toEqual(['buyer.id', 'buyer.name', 'lines.id', 'lines.name']);
    expect(names(toMany(linkedOrders))).toEqual(['lines']);
    expect(names(recordFields(linkedOrders))).not.toContain('lines');
    expect(names(formFields(linkedOrders, true))).toContain('lines');
    expect(names(formFields(linkedOrders, false))).toEqual(['total', 'code', 'buyer']);
    expect(columnFields(linkedOrders).at(-1)?.name).toBe('buyerId');
  });

  it('sorts and filters along relations', () => {
    if (!linkedOrders || !customers) throw new Error('both are there');
    const state = { q: '', filter: null, sort: [{ id: 'buyer', desc: true }, { id: 'code', desc: false }], page: 1, size: 20 };
    expect(sortOf(linkedOrders, state)).toEqual(['-buyer.name', 'code']);
    const paths = recordFilterFields(linkedOrders, [linkedOrders, customers]).filter((field) => field.column === 'buyer').map((field) => field.path);
    expect(paths).toEqual(['buyer.name', 'buyer.id']);
  });

  it('puts the records of a tree one behind the other', () => {
    const tree = [{ id: 1, children: [{ id: 2, children: [{ id: 3 }] }, { id: 4 }] }, { id: 5 }];
    const rows = inSequence(tree, 'children');
    expect(rows.map((row) => [row.id, levelOf(row)])).toEqual([[1, 0], [2, 1], [3, 2], [4, 1], [5, 0]]);
    expect(rows[0]).not.toHaveProperty('children');
  });

  it('names a record', () => {
    expect(recordTitle(orders, { id: 3, code: 'A-3' })).toBe('A-3');
    expect(recordTitle(orders, { id: 3, code: null })).toBe('Orders 3');
  });
});
