import { describe, expect, it } from 'vitest';
import { bothFilters, countConditions, formatFilter, leaves, parseFilter, removeAt, replaceAt } from './grammar';

const roundTrip = (filter: Record<string, unknown>) => formatFilter(parseFilter(filter));

describe('filter grammar', () => {
  it('keeps what the builder makes', () => {
    const filter = {
      $and: [{ name: { $includes: 'a' } }, { $or: [{ total: { $gt: 5 } }, { paid: { $isTruly: true } }] }],
    };
    expect(roundTrip(filter)).toEqual(filter);
  });

  it('reads the short forms of the API', () => {
    expect(roundTrip({ name: 'x', total: { $gte: 1, $lte: 9 } })).toEqual({
      $and: [{ name: { $eq: 'x' } }, { total: { $gte: 1, $lte: 9 } }],
    });
    expect(leaves(parseFilter({ total: { $gte: 1, $lte: 9 } }))[0]?.node).toMatchObject({ operator: 'between' });
    expect(roundTrip({ id: [1, 2] })).toEqual({ $and: [{ id: { $in: [1, 2] } }] });
    expect(roundTrip({ note: null })).toEqual({ $and: [{ note: { $empty: true } }] });
    expect(roundTrip({ customer: { name: { $eq: 'x' } } })).toEqual({ $and: [{ 'customer.name': { $eq: 'x' } }] });
  });

  it('sends unchanged what it cannot show', () => {
    const odd = { $not: { name: 'x' } };
    expect(roundTrip(odd)).toEqual({ $and: [odd] });
    const strange = { total: { $gt: 1, $ne: 4 } };
    expect(roundTrip(strange)).toEqual({ $and: [strange] });
  });

  it('leaves half-made conditions out', () => {
    expect(formatFilter({ kind: 'group', op: '$and', items: [{ kind: 'condition', path: 'a', operator: '$eq', value: '' }] })).toBeNull();
    expect(formatFilter({ kind: 'condition', path: 'a', operator: 'between', value: [1, ''] })).toBeNull();
    expect(formatFilter({ kind: 'condition', path: 'a', operator: '$eq', value: false })).toEqual({ a: { $eq: false } });
    expect(formatFilter({ kind: 'condition', path: 'a', operator: '$eq', value: 0 })).toEqual({ a: { $eq: 0 } });
  });

  it('counts, removes and replaces by way', () => {
    const filter = { $and: [{ a: { $eq: 1 } }, { $or: [{ b: { $eq: 2 } }] }] };
    expect(countConditions(filter)).toBe(2);
    expect(formatFilter(removeAt(parseFilter(filter), [1, 0]))).toEqual({ $and: [{ a: { $eq: 1 } }] });
    const changed = replaceAt(parseFilter(filter), [1, 0], { kind: 'condition', path: 'b', operator: '$ne', value: 3 });
    expect(formatFilter(changed)).toEqual({ $and: [{ a: { $eq: 1 } }, { $or: [{ b: { $ne: 3 } }] }] });
  });

  it('joins filters', () => {
    expect(bothFilters(null, {}, undefined)).toBeNull();
    expect(bothFilters({ a: 1 }, null)).toEqual({ a: 1 });
    expect(bothFilters({ a: 1 }, { b: 2 })).toEqual({ $and: [{ a: 1 }, { b: 2 }] });
  });
});
