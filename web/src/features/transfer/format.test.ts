import { describe, expect, it } from 'vitest';
import type { FieldMeta } from '../../fields';
import { importTargets, matchColumns, usualTargets } from './format';

const field = (name: string, title?: string): FieldMeta => ({ name, type: 'string', uiSchema: title ? { title } : null });

describe('matchColumns', () => {
  it('finds fields by title or name and uses each once', () => {
    const fields = [field('unit_price', 'Unit price'), field('code'), field('stand', 'Größe')];
    const targets = importTargets({ name: 'orders', fields }, []);
    expect(matchColumns(['UNIT-PRICE', 'code ', '', 'größe', 'Code', 'Error'], targets)).toEqual(['unit_price', 'code', null, 'stand', null, null]);
  });

  it('finds linked records by what names them, or by a unique field', () => {
    const customers = { name: 'customers', titleField: 'name', fields: [field('name', 'Name'), { ...field('code', 'Code'), unique: true }, { name: 'id', type: 'bigInt', primaryKey: true }] };
    const related = { collection: 'customers', collectionTitle: 'Customers', key: 'id', title: field('name', 'Name') };
    const orders = { name: 'orders', fields: [{ ...field('customer', 'Customer'), type: 'belongsTo', related }] };
    const targets = importTargets(orders, [customers]);
    expect(targets.map(({ path }) => path)).toEqual(['customer.name', 'customer.code', 'customer.id']);
    expect(usualTargets(targets).map(({ path }) => path)).toEqual(['customer.name']);
    expect(matchColumns(['customer', 'Customer code'], targets)).toEqual(['customer.name', 'customer.code']);
  });
});
