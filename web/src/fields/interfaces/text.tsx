import { NumberInput, TextInput } from '@mantine/core';
import { IconAbc } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { TEXT } from '../operators';
import { TextFilterValue } from '../parts/filterValues';
import { asText, plainDisplay } from '../parts/plain';
import type { ConfigProps, EditProps, FieldInterface } from '../types';

/** VARCHAR without an explicit length. */
const DEFAULT_LENGTH = 255;

function Edit({ field, value, onChange, autoFocus, ...input }: EditProps) {
  return (
    <TextInput
      {...input}
      data-autofocus={autoFocus || undefined}
      value={asText(value)}
      maxLength={field.length ?? DEFAULT_LENGTH}
      onChange={(event) => onChange(event.currentTarget.value || null)}
    />
  );
}

function Config({ field, onChange, existing }: ConfigProps) {
  const { t } = useTranslation('fields');
  return (
    <NumberInput
      label={t('config.length')}
      description={existing ? t('config.locked') : undefined}
      disabled={existing}
      min={1}
      max={10_000}
      allowDecimal={false}
      value={field.length ?? DEFAULT_LENGTH}
      onChange={(length) => onChange({ length: typeof length === 'number' && length !== DEFAULT_LENGTH ? length : undefined })}
    />
  );
}

export const text: FieldInterface = {
  id: 'text',
  group: 'basic',
  icon: IconAbc,
  wire: { interface: 'input', type: 'string' },
  creatable: true,
  canBeUnique: true,
  searchable: true,
  width: 200,
  operators: TEXT,
  text: asText,
  plain: asText,
  Cell: plainDisplay(asText),
  View: plainDisplay(asText),
  Edit,
  inCell: { look: 'line', parse: (input) => input || null },
  FilterValue: TextFilterValue,
  Config,
};
