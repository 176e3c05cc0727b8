/** Conditions in words, for the pills. */
import type { TFunction } from 'i18next';
import { interfaceOf } from '../../fields';
import { dateOperandText } from '../../fields/parts/DateFilterValue';
import { UNARY, type Condition, type Raw } from './grammar';
import type { FilterField } from './types';

/** Wire name as translation key: "$includes" → "includes". */
export const operatorKey = (operator: string) => `operator.${operator.replace('$', '')}`;

/** Text operators read differently than the same ones on numbers. */
export function operatorLabel(operator: string, t: TFunction): string {
  return t(operatorKey(operator), { ns: 'filter', defaultValue: operator });
}

export function describe(node: Condition | Raw, fields: FilterField[], t: TFunction, language: string): string {
  if (node.kind === 'raw') return t('custom', { ns: 'filter' });
  const known = fields.find((candidate) => candidate.path === node.path);
  const title = known?.title ?? node.path;
  const operator = operatorLabel(node.operator, t);
  if (UNARY.has(node.operator)) return `${title} ${operator}`;
  return `${title} ${operator} ${valueText(node, known, t, language)}`;
}

function valueText(node: Condition, known: FilterField | undefined, t: TFunction, language: string): string {
  if (!known) return typeof node.value === 'string' ? node.value : JSON.stringify(node.value);
  const kind = interfaceOf(known.field);
  if (node.operator.startsWith('$date')) {
    return dateOperandText(node.value, (key, values) => t(key, { ns: 'fields', ...values }), language);
  }
  const one = (value: unknown) => kind.text(value, known.field, language) || String(value ?? '');
  if (!Array.isArray(node.value)) return one(node.value);
  return node.value.map(one).join(node.operator === 'between' ? ' – ' : ', ');
}
