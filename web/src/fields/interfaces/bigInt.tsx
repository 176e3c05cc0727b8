import { IconNumbers } from '@tabler/icons-react';
import { parseWhole, wholeEdit } from '../parts/wholeNumber';
import type { FieldInterface } from '../types';
import { integer } from './integer';

const MIN = -(2n ** 63n);
const MAX = 2n ** 63n - 1n;

export const bigInt: FieldInterface = {
  ...integer,
  id: 'bigInt',
  icon: IconNumbers,
  wire: { interface: 'integer', type: 'bigInt' },
  width: 150,
  Edit: wholeEdit(MIN, MAX),
  inCell: { look: 'line', parse: (input) => parseWhole(input, MIN, MAX) },
};
