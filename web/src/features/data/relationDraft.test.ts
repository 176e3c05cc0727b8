import { describe, expect, it } from 'vitest';
import type { CollectionMeta } from './model';
import { checkRelation, emptyRelation, keyCandidates, relationBody, relationType, resolve, type RelationDraft } from './relationDraft';

const orders: CollectionMeta = {
  name: 'orders', title: 'Orders',
  fields: [{ name: 'id', type: 'bigInt', interface: 'id', primaryKey: true }, { name: 'code', type: 'string' }, { name: 'old_id', type: 'bigInt' }],
};
const customers: CollectionMeta = { name: 'customers', title: 'Customers', fields: [{ name: 'name', type: 'string' }, { name: 'orders', type: 'string' }] };
const users: CollectionMeta = { name: 'users', title: 'Users', system: true, fields: [{ name: 'id', type: 'bigInt' }] };
const all = [orders, customers, users];

const made = (values: Partial<RelationDraft>, target = customers) => {
  const draft: RelationDraft = { ...emptyRelation(), target: target.name, ...values };
  const relation = resolve(draft, orders, target, all, [...all.map((each) => each.name), 'orders_users']);
  return { relation, wrong: checkRelation(draft, relation, orders, target), body: relationBody(draft, relation) };
};

describe('a relation in two sentences', () => {
  it('is of the kind they say', () => {
    expect(relationType({ many: false, backMany: true })).toBe('belongsTo');
    expect(relationType({ many: true, backMany: false })).toBe('hasMany');
    expect(relationType({ many: false, backMany: false })).toBe('hasOne');
    expect(relationType({ many: true, backMany: true })).toBe('belongsToMany');
  });

  it('has names that are free, on both sides', () => {
    expect(made({ title: 'Customer' }).body).toEqual({
      name: 'customer', type: 'belongsTo', interface: 'm2o', target: 'customers', foreignKey: 'customer_id', onDelete: 'SET NULL', uiSchema: { title: 'Customer' },
      reverseField: { name: 'orders_2', type: 'hasMany', interface: 'o2m', uiSchema: { title: 'Orders' } },
    });
    expect(made({ many: true, backMany: false, reverse: false, onDelete: 'CASCADE' }).body).toEqual({
      name: 'customers', type: 'hasMany', interface: 'o2m', target: 'customers', foreignKey: 'orders_id', onDelete: 'CASCADE', uiSchema: { title: 'Customers' },
    });
  });

  it('has a collection in between when both sides have many', () => {
    const { body } = made({ many: true, reverseTitle: 'Bought in' });
    expect(body).toMatchObject({ type: 'belongsToMany', interface: 'm2m', through: 'orders_customers', foreignKey: 'orders_id', otherKey: 'customers_id' });
    expect(body).toMatchObject({ reverseField: { name: 'bought_in', type: 'belongsToMany', interface: 'm2m' } });
    expect(body).not.toHaveProperty('onDelete');
    expect(made({ many: true }, users).relation.through).toBe('orders_users_2');
  });

  it('of a collection with itself has different names', () => {
    const { relation, wrong } = made({ title: 'Follows', reverseTitle: 'Follows', many: true }, orders);
    expect([relation.name, relation.reverse?.name]).toEqual(['follows', 'follows_2']);
    expect(relation.foreignKey).not.toBe(relation.otherKey);
    expect(wrong).toEqual({});
  });

  it('leaves collections of the system alone', () => {
    expect(made({}, users).relation.reverse).toBeNull();
    expect(made({}, users).wrong).toEqual({});
    expect(made({ many: true, backMany: false }, users).wrong).toEqual({ target: 'relation.systemTarget' });
  });

  it('says which names cannot be used', () => {
    expect(made({ name: 'code' }).wrong).toEqual({ name: 'name.taken' });
    expect(made({ foreignKey: 'a b', reverseName: 'orders' }).wrong).toEqual({ foreignKey: 'name.letters', reverseName: 'name.taken' });
    expect(made({ many: true, through: 'orders', otherKey: 'orders_id' }).wrong).toEqual({ through: 'name.taken', otherKey: 'name.taken' });
  });

  it('may use a field that is there as its key', () => {
    expect(keyCandidates(orders)).toEqual(['old_id']);
    expect(made({ foreignKey: 'old_id' }).wrong).toEqual({});
  });
});
