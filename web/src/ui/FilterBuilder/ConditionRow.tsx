import { ActionIcon, NativeSelect } from '@mantine/core';
import { IconX } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { interfaceOf } from '../../fields';
import { takesList } from '../../fields/operators';
import { operatorLabel } from './describe';
import classes from './FilterBuilder.module.css';
import { UNARY, type Condition } from './grammar';
import type { FilterField } from './types';

interface Props {
  condition: Condition;
  fields: FilterField[];
  onChange: (condition: Condition) => void;
  onRemove: () => void;
  /** Marks the row that was asked for from outside. */
  focused: boolean;
}

/** What the value becomes when another operator takes it over. */
export function valueFor(operator: string, old: Condition): unknown {
  if (UNARY.has(operator)) return true;
  const shape = (name: string) =>
    UNARY.has(name) ? 'none' : takesList(name) ? 'list' : name === 'between' || name === '$dateBetween' ? 'pair' : 'one';
  if (shape(operator) === shape(old.operator)) return old.value;
  if (shape(operator) === 'list' && shape(old.operator) === 'one' && old.value !== null && old.value !== '') return [old.value];
  if (shape(operator) === 'one' && shape(old.operator) === 'list' && Array.isArray(old.value)) return (old.value[0] as unknown) ?? null;
  return shape(operator) === 'list' ? [] : shape(operator) === 'pair' ? [null, null] : null;
}

export function newCondition(field: FilterField): Condition {
  const operator = interfaceOf(field.field).operators[0] ?? '$eq';
  const blank: Condition = { kind: 'condition', path: field.path, operator, value: null };
  return { ...blank, value: UNARY.has(operator) ? true : null };
}

interface Choice {
  value: string;
  label: string;
}

/** The fields as choices; those of one relation in a group, where the first of them stands. */
function grouped(fields: FilterField[]): (Choice | { group: string; items: Choice[] })[] {
  const choice = (field: FilterField) => ({ value: field.path, label: field.title });
  const groups = new Map<string, Choice[]>();
  for (const field of fields) if (field.group) groups.set(field.group, [...(groups.get(field.group) ?? []), choice(field)]);
  const isFirst = (field: FilterField, at: number) => fields.findIndex((other) => other.group === field.group) === at;
  return fields.flatMap<Choice | { group: string; items: Choice[] }>((field, at) => {
    if (!field.group) return [choice(field)];
    return isFirst(field, at) ? [{ group: field.group, items: groups.get(field.group) ?? [] }] : [];
  });
}

export function ConditionRow({ condition, fields, onChange, onRemove, focused }: Props) {
  const { t } = useTranslation('filter');
  const known = fields.find((candidate) => candidate.path === condition.path);
  const kind = known && interfaceOf(known.field);
  const operators = kind?.operators.includes(condition.operator)
    ? kind.operators
    : [condition.operator, ...(kind?.operators ?? [])];
  const FilterValue = kind?.FilterValue;
  return (
    <div className={classes.condition} role="group" aria-label={known?.title ?? condition.path}>
      <NativeSelect
        className={classes.part}
        aria-label={t('field')}
        data-autofocus={focused || undefined}
        value={condition.path}
        onChange={(event) => {
          const next = fields.find((candidate) => candidate.path === event.currentTarget.value);
          if (next) onChange(newCondition(next));
        }}
        data={[
          ...(known ? [] : [{ value: condition.path, label: condition.path }]),
          ...grouped(fields),
        ]}
      />
      <NativeSelect
        className={classes.part}
        aria-label={t('operatorLabel')}
        value={condition.operator}
        onChange={(event) => {
          const operator = event.currentTarget.value;
          onChange({ ...condition, operator, value: valueFor(operator, condition) });
        }}
        data={operators.map((operator) => ({ value: operator, label: operatorLabel(operator, t) }))}
      />
      <div className={classes.value}>
        {known && FilterValue && !UNARY.has(condition.operator) && (
          <FilterValue
            field={known.field}
            operator={condition.operator}
            value={condition.value}
            onChange={(value) => onChange({ ...condition, value })}
            label={t('valueOf', { title: known.title })}
          />
        )}
      </div>
      <ActionIcon variant="subtle" color="gray" size="lg" aria-label={t('removeCondition', { title: known?.title ?? condition.path })} onClick={onRemove}>
        <IconX size={16} />
      </ActionIcon>
    </div>
  );
}
