import { Checkbox } from '@mantine/core';
import { IconCheck, IconCheckbox } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import i18next from 'i18next';
import { BOOLEAN } from '../operators';
import { Nothing } from '../parts/plain';
import { isEmptyValue, type EditProps, type FieldInterface, type ViewProps } from '../types';

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
  Cell: Mark,
  View,
  Edit,
  FilterValue: null,
  Config: null,
};
