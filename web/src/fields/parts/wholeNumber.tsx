/** What integer and bigInt share. Digits are kept as text while typing, so nothing is rounded. */
import { TextInput } from '@mantine/core';
import { asText } from './plain';
import { InvalidInput, isEmptyValue, type EditProps, type FieldInterface } from '../types';
import { numberOf } from './filterValues';

export function formatWhole(value: unknown, _field: unknown, language: string): string {
  if (isEmptyValue(value)) return '';
  try {
    return new Intl.NumberFormat(language).format(BigInt(String(value)));
  } catch {
    // Not a whole number after all (a column of another type): shown as it came.
    return asText(value);
  }
}

/** Typed text as wire value: number, text for big ones, or InvalidInput. */
export function parseWhole(input: string, min: bigint, max: bigint): unknown {
  const digits = input.trim().replaceAll(/[\s,_]/g, '');
  if (digits === '') return null;
  if (!/^[+-]?\d+$/.test(digits)) return new InvalidInput(input);
  const number = BigInt(digits);
  return number < min || number > max ? new InvalidInput(input) : numberOf(number.toString());
}

export function wholeEdit(min: bigint, max: bigint) {
  function Edit({ field: _field, value, onChange, autoFocus, ...input }: EditProps) {
    return (
      <TextInput
        {...input}
        data-autofocus={autoFocus || undefined}
        inputMode="numeric"
        value={value instanceof InvalidInput ? value.text : asText(value)}
        onChange={(event) => onChange(parseWhole(event.currentTarget.value, min, max))}
      />
    );
  }
  return Edit;
}

export const checkWhole: NonNullable<FieldInterface['check']> = (value) => (value instanceof InvalidInput ? 'invalid.integer' : null);
