import { Alert, Anchor, List, Stack, Text } from '@mantine/core';
import { useEffect, useId, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { ErrorState } from '../../ui/ErrorState';
import { interfaceOf, isRequired } from '../../fields';
import { fieldTitle } from './model';
import type { RecordForm } from './useRecordForm';

/** The inputs of a record, with a summary when more than one is wrong. */
export function RecordFields({ form }: { form: RecordForm }) {
  const { t } = useTranslation('data');
  const prefix = useId();
  const box = useRef<HTMLDivElement>(null);
  const wrong = form.fields.filter((field) => form.errors[field.name]);
  const focus = (name: string) =>
    box.current?.querySelector<HTMLElement>(`[data-field="${CSS.escape(name)}"] :is(input, textarea, select, button)`)?.focus();
  const first = useRef<string | undefined>(undefined);
  first.current = wrong[0]?.name;
  useEffect(() => {
    // Only after a save that failed: somebody who types must keep the focus.
    if (form.failures > 0 && first.current) focus(first.current);
  }, [form.failures]);
  if (form.fields.length === 0) return <Text c="dimmed">{t('form.noFields')}</Text>;
  return (
    <Stack gap="md" ref={box}>
      {form.problem && <ErrorState error={form.problem} />}
      {wrong.length > 1 && (
        <Alert color="red" variant="light" title={t('form.wrong', { count: wrong.length })}>
          <List size="sm">
            {wrong.map((field) => (
              <List.Item key={field.name}>
                <Anchor component="button" type="button" size="sm" mih={24} onClick={() => focus(field.name)}>
                  {fieldTitle(field)}
                </Anchor>
              </List.Item>
            ))}
          </List>
        </Alert>
      )}
      {form.fields.map((field, index) => {
        const kind = interfaceOf(field);
        if (!kind.Edit) return null;
        return (
          <div key={`${form.round}.${field.name}`} data-field={field.name} id={`${prefix}-${field.name}`} onBlur={() => form.check(field.name)}>
            <kind.Edit
              field={field}
              value={form.values[field.name]}
              onChange={(value) => form.set(field.name, value)}
              label={fieldTitle(field)}
              description={field.description || undefined}
              error={form.errors[field.name]}
              required={isRequired(field)}
              autoFocus={index === 0}
            />
          </div>
        );
      })}
    </Stack>
  );
}
