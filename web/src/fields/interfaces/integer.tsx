import { IconNumber123 } from '@tabler/icons-react';
import { NUMBER } from '../operators';
import { NumberFilterValue } from '../parts/filterValues';
import { asText, plainDisplay } from '../parts/plain';
import { checkWhole, formatWhole, parseWhole, wholeEdit } from '../parts/wholeNumber';
import type { FieldInterface } from '../types';

const MIN = -(2n ** 31n);
const MAX = 2n ** 31n - 1n;

export const integer: FieldInterface = {
  id: 'integer',
  group: 'basic',
  icon: IconNumber123,
  wire: { interface: 'integer', type: 'integer' },
  creatable: true,
  canBeUnique: true,
  searchable: false,
  width: 120,
  align: 'end',
  operators: NUMBER,
  text: formatWhole,
  plain: asText,
  Cell: plainDisplay(formatWhole),
  View: plainDisplay(formatWhole),
  Edit: wholeEdit(MIN, MAX),
  inCell: { look: 'line', parse: (input) => parseWhole(input, MIN, MAX) },
  FilterValue: NumberFilterValue,
  Config: null,
  check: checkWhole,
};
