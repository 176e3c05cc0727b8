import { Checkbox } from '@mantine/core';
import { IconCheck, IconCheckbox } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import i18next from 'i18next';
import { BOOLEAN } from '../operators';
import { Nothing } from '../parts/plain';
import { InvalidInput, isEmptyValue, type EditProps, type FieldInterface, type ViewProps } from '../types';

function Mark({ value }: ViewProps) {
  const { t } = useTranslation('fields');
  if (value !== true) return <Nothing />;
  return <IconCheck size={18} role="img" aria-label={t('yes')} style={{ verticalAlign: 'middle' }} />;
}

function View({ value }: ViewProps) {
  const { t } = useTranslation('fields');
  return isEmptyValue(value) ? <Nothing /> : <>{value === true ? t('yes') : t('no')}</>;
}

function Edit({ field: _field, value, onChange, autoFocus, required: _required, ...input }: EditProps) {
  return (
    <Checkbox
      {...input}
      data-autofocus={autoFocus || undefined}
      checked={value === true}
      onChange={(event) => onChange(event.currentTarget.checked)}
    />
  );
}

const TRUE = new Set(['true', 'yes', 'y', 'on', '1', 'x', '✓']);
const FALSE = new Set(['false', 'no', 'n', 'off', '0', '–']);

/** What spreadsheets and people write for yes and no, in the user's language too. */
export function parseBoolean(input: string): unknown {
  const text = input.trim().toLowerCase();
  if (text === '') return null;
  if (TRUE.has(text) || text === i18next.t('yes', { ns: 'fields' }).toLowerCase()) return true;
  if (FALSE.has(text) || text === i18next.t('no', { ns: 'fields' }).toLowerCase()) return false;
  return new InvalidInput(input);
}

export const checkbox: FieldInterface = {
  id: 'checkbox',
  group: 'choices',
  icon: IconCheckbox,
  wire: { interface: 'checkbox', type: 'boolean' },
  creatable: true,
  canBeUnique: false,
  searchable: false,
  width: 110,
  operators: BOOLEAN,
  text: (value) => (isEmptyValue(value) ? '' : i18next.t(value === true ? 'yes' : 'no', { ns: 'fields' })),
  plain: (value) => (isEmptyValue(value) ? '' : String(value === true)),
  Cell: Mark,
  View,
  Edit,
  inCell: { look: 'toggle', parse: parseBoolean },
  FilterValue: null,
  Config: null,
  check: (value) => (value instanceof InvalidInput ? 'invalid.boolean' : null),
};
