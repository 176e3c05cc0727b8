import { TextInput } from '@mantine/core';
import { IconFingerprint } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { KEY } from '../operators';
import { TextFilterValue } from '../parts/filterValues';
import { asText, plainDisplay } from '../parts/plain';
import { InvalidInput, type EditProps, type FieldInterface } from '../types';

const UUID = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

const parse = (text: string) => (text.trim() === '' ? null : UUID.test(text.trim()) ? text.trim() : new InvalidInput(text));

/** Left empty, the server makes one. */
function Edit({ field, value, onChange, autoFocus, ...input }: EditProps) {
  const { t } = useTranslation('fields');
  return (
    <TextInput
      {...input}
      data-autofocus={autoFocus || undefined}
      placeholder={field.autoFill === false ? undefined : t('madeByServer')}
      value={value instanceof InvalidInput ? value.text : asText(value)}
      onChange={(event) => onChange(parse(event.currentTarget.value))}
    />
  );
}

export const uuid: FieldInterface = {
  id: 'uuid',
  group: 'advanced',
  icon: IconFingerprint,
  wire: { interface: 'uuid', type: 'uuid' },
  creatable: true,
  canBeUnique: true,
  searchable: false,
  width: 300,
  operators: KEY,
  text: asText,
  plain: asText,
  Cell: plainDisplay(asText),
  View: plainDisplay(asText),
  Edit,
  inCell: { look: 'line', parse },
  FilterValue: TextFilterValue,
  Config: null,
  check: (value) => (value instanceof InvalidInput ? 'invalid.uuid' : null),
};
