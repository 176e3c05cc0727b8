import { MultiSelect, Select } from '@mantine/core';
import { IconSelect } from '@tabler/icons-react';
import { CHOICE, takesList } from '../operators';
import { ChoiceChip } from '../parts/ChoiceChip';
import { ChoicesEditor } from '../parts/ChoicesEditor';
import { asText, Nothing } from '../parts/plain';
import { choicesOf, InvalidInput, isEmptyValue, type EditProps, type FieldInterface, type FieldMeta, type FilterValueProps, type ViewProps } from '../types';

function labelOf(value: unknown, field: FieldMeta): string {
  return choicesOf(field).find((choice) => choice.value === value)?.label ?? asText(value);
}

/** The choice with that label or value. */
function parseChoice(input: string, field: FieldMeta): unknown {
  const text = input.trim();
  if (text === '') return null;
  const choices = choicesOf(field);
  const same = (name: string) => name.trim().toLowerCase() === text.toLowerCase();
  const found = choices.find((choice) => same(choice.label)) ?? choices.find((choice) => same(choice.value));
  return found ? found.value : new InvalidInput(input);
}

function Cell({ field, value }: ViewProps) {
  if (isEmptyValue(value)) return <Nothing />;
  const choice = choicesOf(field).find((candidate) => candidate.value === value);
  return <ChoiceChip choice={choice ?? { value: asText(value), label: asText(value) }} />;
}

function Edit({ field, value, onChange, autoFocus, ...input }: EditProps) {
  return (
    <Select
      {...input}
      data-autofocus={autoFocus || undefined}
      clearable={!input.required}
      searchable={choicesOf(field).length > 7}
      data={choicesOf(field).map(({ value: key, label }) => ({ value: key, label }))}
      value={isEmptyValue(value) ? null : asText(value)}
      onChange={onChange}
    />
  );
}

function FilterValue({ field, operator, value, onChange, label }: FilterValueProps) {
  const data = choicesOf(field).map(({ value: key, label: name }) => ({ value: key, label: name }));
  // Inside a popover: a portal would count as a click outside and close it.
  const combobox = { withinPortal: false };
  if (takesList(operator)) {
    return (
      <MultiSelect
        aria-label={label}
        data={data}
        value={Array.isArray(value) ? value.map(String) : []}
        onChange={onChange}
        comboboxProps={combobox}
      />
    );
  }
  return <Select aria-label={label} data={data} value={isEmptyValue(value) ? null : asText(value)} onChange={onChange} comboboxProps={combobox} />;
}

export const select: FieldInterface = {
  id: 'select',
  group: 'choices',
  icon: IconSelect,
  wire: { interface: 'select', type: 'string', uiSchema: { enum: [] } },
  creatable: true,
  canBeUnique: false,
  searchable: false,
  width: 150,
  operators: CHOICE,
  text: labelOf,
  plain: labelOf,
  Cell,
  View: Cell,
  Edit,
  inCell: { look: 'choice', parse: parseChoice },
  FilterValue,
  Config: ({ field, onChange }) => (
    <ChoicesEditor
      choices={choicesOf(field)}
      onChange={(choices) => onChange({ uiSchema: { ...field.uiSchema, enum: choices } })}
    />
  ),
  check: (value) => (value instanceof InvalidInput ? 'invalid.choice' : null),
};
