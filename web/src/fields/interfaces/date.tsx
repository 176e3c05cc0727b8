import { DateInput } from '@mantine/dates';
import { IconCalendar } from '@tabler/icons-react';
import { DATE } from '../operators';
import { DateFilterValue } from '../parts/DateFilterValue';
import { formatDay } from '../parts/moments';
import { plainDisplay } from '../parts/plain';
import type { EditProps, FieldInterface } from '../types';

function Edit({ field: _field, value, onChange, autoFocus, ...input }: EditProps) {
  return (
    <DateInput
      {...input}
      data-autofocus={autoFocus || undefined}
      clearable={!input.required}
      valueFormat="YYYY-MM-DD"
      placeholder="YYYY-MM-DD"
      value={typeof value === 'string' ? value.slice(0, 10) : null}
      onChange={onChange}
    />
  );
}

export const date: FieldInterface = {
  id: 'date',
  group: 'date',
  icon: IconCalendar,
  wire: { interface: 'date', type: 'dateOnly' },
  creatable: true,
  canBeUnique: false,
  searchable: false,
  width: 140,
  operators: DATE,
  text: formatDay,
  Cell: plainDisplay(formatDay),
  View: plainDisplay(formatDay),
  Edit,
  FilterValue: DateFilterValue,
  Config: null,
};
