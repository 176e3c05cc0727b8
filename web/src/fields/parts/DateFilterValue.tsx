import { Group, NativeSelect, NumberInput } from '@mantine/core';
import { DateInput } from '@mantine/dates';
import { useTranslation } from 'react-i18next';
import { useFirstDay } from '../../app/week';
import type { FilterValueProps } from '../types';

/** Ranges the server works out in the user's time zone. */
const RELATIVE = [
  'today', 'yesterday', 'tomorrow', 'thisIsoWeek', 'lastIsoWeek', 'nextIsoWeek', 'thisMonth', 'lastMonth', 'nextMonth',
  'thisQuarter', 'lastQuarter', 'thisYear', 'lastYear', 'past', 'next',
] as const;
const UNITS = ['day', 'week', 'month', 'quarter', 'year'] as const;

interface Relative {
  type: string;
  number?: number;
  unit?: string;
}

const isRelative = (value: unknown): value is Relative =>
  typeof value === 'object' && value !== null && typeof (value as Relative).type === 'string';
const day = (value: unknown): string | null => (typeof value === 'string' && value ? value.slice(0, 10) : null);

/** A day, a relative range ("last 7 days") or two days. */
export function DateFilterValue({ operator, value, onChange, label }: FilterValueProps) {
  const { t } = useTranslation('fields');
  if (operator === '$dateBetween' && !isRelative(value)) {
    const pair = Array.isArray(value) ? (value as unknown[]) : [null, null];
    return (
      <Group gap="xs" wrap="nowrap" grow>
        <Day label={`${label}: ${t('from')}`} value={day(pair[0])} onChange={(from) => onChange([from, day(pair[1])])} />
        <Day label={`${label}: ${t('to')}`} value={day(pair[1])} onChange={(to) => onChange([day(pair[0]), to])} />
      </Group>
    );
  }
  const relative = isRelative(value) ? value : null;
  const kind = relative?.type ?? 'exact';
  const choose = (next: string) => {
    if (next === 'exact') onChange(null);
    else if (next === 'past' || next === 'next') onChange({ type: next, number: 7, unit: 'day' });
    else onChange({ type: next });
  };
  return (
    <Group gap="xs" wrap="nowrap" grow>
      <NativeSelect
        aria-label={`${label}: ${t('dateKind')}`}
        value={kind}
        onChange={(event) => choose(event.currentTarget.value)}
        data={[{ value: 'exact', label: t('relative.exact') }, ...RELATIVE.map((name) => ({ value: name, label: t(`relative.${name}`) }))]}
      />
      {!relative && <Day label={label} value={day(value)} onChange={onChange} />}
      {relative?.unit !== undefined && (
        <>
          <NumberInput
            aria-label={`${label}: ${t('amount')}`}
            min={1}
            max={9999}
            allowDecimal={false}
            value={relative.number ?? 1}
            onChange={(number) => typeof number === 'number' && onChange({ ...relative, number })}
          />
          <NativeSelect
            aria-label={`${label}: ${t('unit')}`}
            value={relative.unit}
            onChange={(event) => onChange({ ...relative, unit: event.currentTarget.value })}
            data={UNITS.map((unit) => ({ value: unit, label: t(`unit_${unit}`) }))}
          />
        </>
      )}
    </Group>
  );
}

function Day({ label, value, onChange }: { label: string; value: string | null; onChange: (value: string | null) => void }) {
  return (
    <DateInput
      aria-label={label}
      firstDayOfWeek={useFirstDay()}
      placeholder="YYYY-MM-DD"
      valueFormat="YYYY-MM-DD"
      value={value}
      onChange={onChange}
      clearable
      popoverProps={{ withinPortal: false }}
    />
  );
}

/** A date operand in words, for pills. */
export function dateOperandText(value: unknown, t: (key: string, values?: Record<string, unknown>) => string, language: string): string {
  if (Array.isArray(value)) return value.map((part) => dateOperandText(part, t, language)).join(' – ');
  if (isRelative(value)) {
    if (value.unit === undefined) return t(`relative.${value.type}`);
    return t(`last.${value.type === 'next' ? 'next' : 'past'}`, { count: value.number ?? 1, unit: t(`unit_${value.unit}`) });
  }
  const text = day(value);
  if (!text) return String(value ?? '');
  const [year, month, date] = text.split('-').map(Number);
  return new Intl.DateTimeFormat(language, { dateStyle: 'medium' }).format(new Date(year ?? 0, (month ?? 1) - 1, date ?? 1));
}
