import { describe, expect, it } from 'vitest';
import type { FieldMeta } from '../../fields';
import { matchColumns } from './format';

const field = (name: string, title?: string): FieldMeta => ({ name, type: 'string', uiSchema: title ? { title } : null });

describe('matchColumns', () => {
  it('finds fields by title or name and uses each once', () => {
    const fields = [field('unit_price', 'Unit price'), field('code'), field('stand', 'Größe')];
    expect(matchColumns(['UNIT-PRICE', 'code ', '', 'größe', 'Code', 'Error'], fields)).toEqual(['unit_price', 'code', null, 'stand', null, null]);
  });
});
