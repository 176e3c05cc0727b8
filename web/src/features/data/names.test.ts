import { describe, expect, it } from 'vitest';
import { checkName, freeName, nameFromTitle } from './names';

describe('names', () => {
  it('makes names from titles', () => {
    expect(nameFromTitle('Créé le (UTC)')).toBe('cree_le_utc');
    expect(nameFromTitle('  Purchase Orders ')).toBe('purchase_orders');
    expect(nameFromTitle('2026 plan')).toBe('n_2026_plan');
    expect(nameFromTitle('订单')).toBe('');
  });

  it('avoids names in use and gives one to any title', () => {
    expect(freeName('Order', ['order', 'order_2'], 't')).toBe('order_3');
    expect(freeName('订单', [], 't')).toMatch(/^t_[a-z0-9]+$/);
  });

  it('says what is wrong with a name', () => {
    expect(checkName('orders', [])).toBeNull();
    expect(checkName('', [])).toBe('name.missing');
    expect(checkName('1a', [])).toBe('name.letters');
    expect(checkName('a-b', [])).toBe('name.letters');
    expect(checkName('x'.repeat(64), [])).toBe('name.long');
    expect(checkName('orders', ['orders'])).toBe('name.taken');
  });
});
