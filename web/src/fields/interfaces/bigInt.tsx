import { IconNumbers } from '@tabler/icons-react';
import { wholeEdit } from '../parts/wholeNumber';
import type { FieldInterface } from '../types';
import { integer } from './integer';

export const bigInt: FieldInterface = {
  ...integer,
  id: 'bigInt',
  icon: IconNumbers,
  wire: { interface: 'integer', type: 'bigInt' },
  width: 150,
  Edit: wholeEdit(-(2n ** 63n), 2n ** 63n - 1n),
};
