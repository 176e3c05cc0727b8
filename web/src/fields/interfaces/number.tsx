import { TextInput } from '@mantine/core';
import { IconDecimal } from '@tabler/icons-react';
import { NUMBER } from '../operators';
import { NumberFilterValue } from '../parts/filterValues';
import { asText, plainDisplay } from '../parts/plain';
import { withPoint } from '../parts/digits';
import { InvalidInput, isEmptyValue, type EditProps, type FieldInterface } from '../types';

const MAX_DIGITS = 15;

function format(value: unknown, _field: unknown, language: string): string {
  if (isEmptyValue(value)) return '';
  const number = Number(value);
  if (Number.isNaN(number)) return asText(value);
  return new Intl.NumberFormat(language, { maximumSignificantDigits: MAX_DIGITS }).format(number);
}

/** Typed text as number; "1." and "-" are on the way to one. */
export function parseNumber(input: string): unknown {
  const text = withPoint(input);
  if (text === '') return null;
  const number = Number(text);
  return Number.isFinite(number) ? number : new InvalidInput(input);
}

function Edit({ field: _field, value, onChange, autoFocus, ...input }: EditProps) {
  return (
    <TextInput
      {...input}
      data-autofocus={autoFocus || undefined}
      inputMode="decimal"
      defaultValue={value instanceof InvalidInput ? value.text : asText(value)}
      onChange={(event) => onChange(parseNumber(event.currentTarget.value))}
    />
  );
}

export const number: FieldInterface = {
  id: 'number',
  group: 'basic',
  icon: IconDecimal,
  wire: { interface: 'number', type: 'double' },
  creatable: true,
  canBeUnique: true,
  searchable: false,
  width: 130,
  align: 'end',
  operators: NUMBER,
  text: format,
  plain: asText,
  Cell: plainDisplay(format),
  View: plainDisplay(format),
  Edit,
  inCell: { look: 'line', parse: parseNumber },
  FilterValue: NumberFilterValue,
  Config: null,
  check: (value) => (value instanceof InvalidInput ? 'invalid.number' : null),
};
