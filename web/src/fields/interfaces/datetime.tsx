import { Checkbox } from '@mantine/core';
import { DateTimePicker } from '@mantine/dates';
import { IconClock } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { useFirstDay } from '../../app/week';
import { DATE } from '../operators';
import { DateFilterValue } from '../parts/DateFilterValue';
import { formatInstant, parseInstant, toInstant, toLocal } from '../parts/moments';
import { plainDisplay } from '../parts/plain';
import { InvalidInput, type ConfigProps, type EditProps, type FieldInterface } from '../types';

function Edit({ field: _field, value, onChange, autoFocus, ...input }: EditProps) {
  return (
    <DateTimePicker
      {...input}
      firstDayOfWeek={useFirstDay()}
      data-autofocus={autoFocus || undefined}
      clearable={!input.required}
      withSeconds
      valueFormat="YYYY-MM-DD HH:mm:ss"
      placeholder="YYYY-MM-DD HH:mm:ss"
      value={toLocal(value)}
      onChange={(local) => onChange(toInstant(local))}
    />
  );
}

function Config({ field, onChange }: ConfigProps) {
  const { t } = useTranslation('fields');
  return (
    <Checkbox
      label={t('config.now')}
      checked={field.defaultToCurrentTime === true}
      onChange={(event) => onChange({ defaultToCurrentTime: event.currentTarget.checked || undefined })}
    />
  );
}

export const datetime: FieldInterface = {
  id: 'datetime',
  group: 'date',
  icon: IconClock,
  wire: { interface: 'datetime', type: 'date' },
  creatable: true,
  canBeUnique: false,
  searchable: false,
  width: 190,
  operators: DATE,
  text: formatInstant,
  plain: (value) => toLocal(value) ?? '',
  Cell: plainDisplay(formatInstant),
  View: plainDisplay(formatInstant),
  Edit,
  inCell: { look: 'line', inputType: 'datetime-local', parse: parseInstant },
  FilterValue: DateFilterValue,
  Config,
  check: (value) => (value instanceof InvalidInput ? 'invalid.datetime' : null),
};
