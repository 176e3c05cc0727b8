import { Button, Checkbox, Group, Modal, ScrollArea, Stack, Text } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api } from '../../app/api';
import { interfaceOf, isEmptyValue } from '../../fields';
import { ErrorState } from '../../ui/ErrorState';
import { toast } from '../../ui/toasts';
import { fieldProblem } from '../data/fieldProblem';
import { editableFields, fieldTitle, type CollectionMeta, type RecordRow } from '../data/model';
import { startTask } from '../tasks/queries';
import { AT_ONCE, filterOf, type BulkSelection } from './bulk';

interface Props {
  collection: CollectionMeta;
  selection: BulkSelection;
  onClose: () => void;
  /** After records were changed at once. */
  onChanged: () => Promise<void>;
}

/** The same values for many records: a field is changed when it is switched on, and emptied when its input is. */
export default function BulkEdit({ collection, selection, onClose, onChanged }: Props) {
  const { t, i18n } = useTranslation('transfer');
  const client = useQueryClient();
  const phone = useMediaQuery('(max-width: 47.99em)', undefined, { getInitialValueInEffect: false });
  // One value for all of them makes no sense where each must differ, or where a record belongs to one only.
  const fields = editableFields(collection).filter((field) => field.unique !== true && field.type !== 'hasMany' && field.type !== 'hasOne');
  const [values, setValues] = useState<RecordRow>({});
  const [errors, setErrors] = useState<Record<string, string>>({});
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<Error | null>(null);
  const { count } = selection;
  const words = { count, shown: new Intl.NumberFormat(i18n.language).format(count) };
  const chosen = fields.filter((field) => field.name in values);

  const toggle = (name: string, on: boolean) =>
    setValues((old) => (on ? { ...old, [name]: null } : Object.fromEntries(Object.entries(old).filter(([key]) => key !== name))));

  const run = async () => {
    const wrong = Object.fromEntries(chosen.flatMap((field) => {
      const problem = fieldProblem(field, values[field.name]);
      return problem ? [[field.name, problem]] : [];
    }));
    setErrors(wrong);
    if (Object.keys(wrong).length > 0) return;
    setBusy(true);
    setError(null);
    const sent = Object.fromEntries(chosen.map(({ name }) => [name, isEmptyValue(values[name]) ? null : values[name]]));
    try {
      if (selection.allMatching || count > AT_ONCE) {
        const params = { collection: collection.name, filter: filterOf(selection), values: sent, expected: count };
        await startTask(client, 'records:update', params, { title: t('bulk.taskTitle', words) });
      } else {
        await api.resource(collection.name).action('update', { params: { filterByTk: JSON.stringify(selection.ids) }, body: sent });
        await onChanged();
        toast.success(t('bulk.done', { count }));
      }
      onClose();
    } catch (problem) {
      setError(problem as Error);
    } finally {
      setBusy(false);
    }
  };

  return (
    <Modal opened onClose={onClose} title={t('bulk.title', words)} size="lg" fullScreen={phone} closeButtonProps={{ size: 'md' }} closeOnClickOutside={chosen.length === 0}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void run();
        }}
      >
        <Stack gap="md">
          <Text size="sm" c="dimmed">
            {t('bulk.hint')}
          </Text>
          <ScrollArea.Autosize mah="55dvh" type="auto">
            <Stack gap="sm">
              {fields.map((field) => {
                const { Edit } = interfaceOf(field);
                const on = field.name in values;
                return (
                  <div key={field.name}>
                    <Checkbox label={t('bulk.change', { title: fieldTitle(field) })} checked={on} onChange={(event) => toggle(field.name, event.currentTarget.checked)} />
                    {on && Edit && (
                      <div style={{ padding: '6px 0 4px 30px' }}>
                        <Edit
                          field={field}
                          value={values[field.name]}
                          onChange={(value) => setValues((old) => ({ ...old, [field.name]: value }))}
                          label={fieldTitle(field)}
                          error={errors[field.name]}
                        />
                      </div>
                    )}
                  </div>
                );
              })}
            </Stack>
          </ScrollArea.Autosize>
          {error && <ErrorState error={error} />}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              {t('cancel')}
            </Button>
            <Button type="submit" loading={busy} disabled={chosen.length === 0}>
              {t('bulk.verb', words)}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
