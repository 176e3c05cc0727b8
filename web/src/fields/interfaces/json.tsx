import { Code, Textarea } from '@mantine/core';
import { IconBraces } from '@tabler/icons-react';
import { PRESENCE } from '../operators';
import { Nothing } from '../parts/plain';
import { InvalidInput, isEmptyValue, type EditProps, type FieldInterface, type ViewProps } from '../types';

const compact = (value: unknown) => (isEmptyValue(value) ? '' : JSON.stringify(value));
const pretty = (value: unknown) => (value === null || value === undefined ? '' : JSON.stringify(value, null, 2));

function Cell({ value }: ViewProps) {
  if (isEmptyValue(value)) return <Nothing />;
  if (Array.isArray(value)) return <Code>{`[${value.length}]`}</Code>;
  if (typeof value === 'object') return <Code>{`{${Object.keys(value as object).length}}`}</Code>;
  return <Code>{compact(value)}</Code>;
}

function View({ value }: ViewProps) {
  return isEmptyValue(value) ? <Nothing /> : <Code block tabIndex={0}>{pretty(value)}</Code>;
}

export function parseJson(text: string): unknown {
  if (text.trim() === '') return null;
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON yet; the text stays in the field and cannot be saved.
    return new InvalidInput(text);
  }
}

function Edit({ field: _field, value, onChange, autoFocus, ...input }: EditProps) {
  return (
    <Textarea
      {...input}
      data-autofocus={autoFocus || undefined}
      autosize
      minRows={3}
      maxRows={16}
      spellCheck={false}
      styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
      defaultValue={value instanceof InvalidInput ? value.text : pretty(value)}
      onChange={(event) => onChange(parseJson(event.currentTarget.value))}
    />
  );
}

export const json: FieldInterface = {
  id: 'json',
  group: 'advanced',
  icon: IconBraces,
  wire: { interface: 'json', type: 'json' },
  creatable: true,
  canBeUnique: false,
  searchable: false,
  width: 120,
  operators: PRESENCE,
  text: compact,
  plain: compact,
  Cell,
  View,
  Edit,
  inCell: { look: 'box', parse: parseJson },
  FilterValue: null,
  Config: null,
  check: (value) => (value instanceof InvalidInput ? 'invalid.json' : null),
};
