import { IconNumber123 } from '@tabler/icons-react';
import { NUMBER } from '../operators';
import { NumberFilterValue } from '../parts/filterValues';
import { plainDisplay } from '../parts/plain';
import { checkWhole, formatWhole, wholeEdit } from '../parts/wholeNumber';
import type { FieldInterface } from '../types';

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
  Cell: plainDisplay(formatWhole),
  View: plainDisplay(formatWhole),
  Edit: wholeEdit(-(2n ** 31n), 2n ** 31n - 1n),
  FilterValue: NumberFilterValue,
  Config: null,
  check: checkWhole,
};
