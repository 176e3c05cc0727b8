/** Value editors of the filter builder that several interfaces share. */
import { Group, NumberInput, TagsInput, TextInput } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { takesList } from '../operators';
import type { FilterValueProps } from '../types';

const asList = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);
const asString = (value: unknown): string => (typeof value === 'string' || typeof value === 'number' ? String(value) : '');

export function TextFilterValue({ operator, value, onChange, label }: FilterValueProps) {
  const { t } = useTranslation('fields');
  if (takesList(operator)) {
    return (
      <TagsInput aria-label={label} placeholder={t('severalValues')} value={asList(value)} onChange={onChange} acceptValueOnBlur />
    );
  }
  return <TextInput aria-label={label} value={asString(value)} onChange={(event) => onChange(event.currentTarget.value)} />;
}

export function NumberFilterValue({ operator, value, onChange, label }: FilterValueProps) {
  const { t } = useTranslation('fields');
  if (takesList(operator)) {
    return (
      <TagsInput
        aria-label={label}
        placeholder={t('severalNumbers')}
        inputMode="decimal"
        value={asList(value)}
        acceptValueOnBlur
        onChange={(texts) => onChange(texts.map((text) => numberOf(text)).filter((number) => number !== null))}
      />
    );
  }
  if (operator === 'between') {
    const pair = Array.isArray(value) ? (value as unknown[]) : [null, null];
    const set = (at: 0 | 1) => (bound: unknown) => onChange(at === 0 ? [numberOf(bound), pair[1]] : [pair[0], numberOf(bound)]);
    return (
      <Group gap="xs" wrap="nowrap" grow>
        <NumberInput aria-label={`${label}: ${t('from')}`} placeholder={t('from')} value={asString(pair[0])} onChange={set(0)} hideControls />
        <NumberInput aria-label={`${label}: ${t('to')}`} placeholder={t('to')} value={asString(pair[1])} onChange={set(1)} hideControls />
      </Group>
    );
  }
  return <NumberInput aria-label={label} value={asString(value)} onChange={(input) => onChange(numberOf(input))} hideControls />;
}

/** Numbers beyond 2^53 stay text: a number would change their last digits. */
export function numberOf(input: unknown): number | string | null {
  if (input === '' || input === null || input === undefined) return null;
  const number = Number(input);
  if (Number.isNaN(number)) return null;
  return Number.isInteger(number) && !Number.isSafeInteger(number) ? String(input) : number;
}
