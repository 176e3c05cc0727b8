import { Group, NumberInput, TextInput } from '@mantine/core';
import { IconCoins } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { withPoint } from '../parts/digits';
import { asText, plainDisplay } from '../parts/plain';
import { InvalidInput, isEmptyValue, type ConfigProps, type EditProps, type FieldInterface, type FieldMeta } from '../types';
import { number } from './number';

const PRECISION = 10;
const SCALE = 2;

/** Exact: formatted from the digits, never through a binary number. */
export function formatDecimal(value: unknown, field: FieldMeta, language: string): string {
  if (isEmptyValue(value)) return '';
  const text = asText(value);
  if (!/^-?\d+(\.\d+)?$/.test(text)) return text;
  const scale = Math.min(field.scale ?? SCALE, 20);
  const format = new Intl.NumberFormat(language, { minimumFractionDigits: scale, maximumFractionDigits: Math.max(scale, 20) });
  // A string operand keeps all digits; TypeScript's type of it is narrower than what browsers take.
  return format.format(text as unknown as number);
}

/** Typed digits as exact text; InvalidInput when they are none or do not fit the column. */
export function parseDecimal(input: string, field: FieldMeta): unknown {
  const text = withPoint(input);
  if (text === '') return null;
  const match = /^([+-]?)(\d*)(?:\.(\d*))?$/.exec(text);
  const whole = match?.[2] ?? '';
  const fraction = match?.[3] ?? '';
  if (!match || whole + fraction === '') return new InvalidInput(input);
  const scale = field.scale ?? SCALE;
  const precision = field.precision ?? PRECISION;
  const digits = whole.replace(/^0+(?=\d)/, '');
  if (fraction.length > scale || digits.length > precision - scale) return new InvalidInput(input);
  return `${match[1] === '-' ? '-' : ''}${digits || '0'}${fraction ? `.${fraction}` : ''}`;
}

function Edit({ field, value, onChange, autoFocus, ...input }: EditProps) {
  return (
    <TextInput
      {...input}
      data-autofocus={autoFocus || undefined}
      inputMode="decimal"
      defaultValue={value instanceof InvalidInput ? value.text : asText(value)}
      onChange={(event) => onChange(parseDecimal(event.currentTarget.value, field))}
    />
  );
}

function Config({ field, onChange, existing }: ConfigProps) {
  const { t } = useTranslation('fields');
  const set = (key: 'precision' | 'scale') => (value: number | string) => typeof value === 'number' && onChange({ [key]: value });
  return (
    <Group grow align="flex-start">
      <NumberInput
        label={t('config.precision')}
        description={existing ? t('config.locked') : t('config.precisionHint')}
        disabled={existing}
        min={1}
        max={38}
        allowDecimal={false}
        value={field.precision ?? PRECISION}
        onChange={set('precision')}
      />
      <NumberInput
        label={t('config.scale')}
        description={existing ? t('config.locked') : t('config.scaleHint')}
        disabled={existing}
        min={0}
        max={field.precision ?? PRECISION}
        allowDecimal={false}
        value={field.scale ?? SCALE}
        onChange={set('scale')}
      />
    </Group>
  );
}

export const decimal: FieldInterface = {
  ...number,
  id: 'decimal',
  icon: IconCoins,
  wire: { interface: 'number', type: 'decimal', precision: PRECISION, scale: SCALE },
  text: formatDecimal,
  Cell: plainDisplay(formatDecimal),
  View: plainDisplay(formatDecimal),
  Edit,
  inCell: { look: 'line', parse: parseDecimal },
  Config,
  check: (value) => (value instanceof InvalidInput ? 'invalid.decimal' : null),
};
