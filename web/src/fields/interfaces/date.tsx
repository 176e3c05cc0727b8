import { DateInput } from '@mantine/dates';
import { IconCalendar } from '@tabler/icons-react';
import { useFirstDay } from '../../app/week';
import { DATE } from '../operators';
import { DateFilterValue } from '../parts/DateFilterValue';
import { formatDay, parseDay } from '../parts/moments';
import { plainDisplay } from '../parts/plain';
import { InvalidInput, type EditProps, type FieldInterface } from '../types';

function Edit({ field: _field, value, onChange, autoFocus, ...input }: EditProps) {
  return (
    <DateInput
      {...input}
      firstDayOfWeek={useFirstDay()}
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
  plain: (value) => (typeof value === 'string' ? value.slice(0, 10) : ''),
  Cell: plainDisplay(formatDay),
  View: plainDisplay(formatDay),
  Edit,
  inCell: { look: 'line', inputType: 'date', parse: parseDay },
  FilterValue: DateFilterValue,
  Config: null,
  check: (value) => (value instanceof InvalidInput ? 'invalid.date' : null),
};
