import { Text, Textarea } from '@mantine/core';
import { IconAlignLeft } from '@tabler/icons-react';
import { TEXT } from '../operators';
import { TextFilterValue } from '../parts/filterValues';
import { asText, Nothing, plainDisplay } from '../parts/plain';
import { isEmptyValue, type EditProps, type FieldInterface, type ViewProps } from '../types';

function Edit({ field: _field, value, onChange, autoFocus, ...input }: EditProps) {
  return (
    <Textarea
      {...input}
      data-autofocus={autoFocus || undefined}
      autosize
      minRows={3}
      maxRows={14}
      value={asText(value)}
      onChange={(event) => onChange(event.currentTarget.value || null)}
    />
  );
}

/** Line breaks stay. */
function View({ value }: ViewProps) {
  if (isEmptyValue(value)) return <Nothing />;
  return <Text style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>{asText(value)}</Text>;
}

export const longText: FieldInterface = {
  id: 'longText',
  group: 'basic',
  icon: IconAlignLeft,
  wire: { interface: 'textarea', type: 'text' },
  creatable: true,
  canBeUnique: false,
  searchable: true,
  width: 280,
  operators: TEXT,
  text: asText,
  plain: asText,
  Cell: plainDisplay((value) => asText(value).replaceAll(/\s+/g, ' ')),
  View,
  Edit,
  inCell: { look: 'box', parse: (input) => input || null },
  FilterValue: TextFilterValue,
  Config: null,
};
