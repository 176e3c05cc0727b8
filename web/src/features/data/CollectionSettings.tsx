import { Button, Group, Select, Stack, Textarea, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api } from '../../app/api';
import { ErrorState } from '../../ui/ErrorState';
import { toast } from '../../ui/toasts';
import { useDirtyGuard } from '../../ui/useDirtyGuard';
import { interfaceOf } from '../../fields';
import classes from './data.module.css';
import { collectionTitle, fieldTitle, shownFields, titleField, type CollectionMeta } from './model';
import { useRefreshCollections } from './queries';

interface Props {
  collection: CollectionMeta;
  configure: boolean;
}

/** What can change about a collection later. */
export function CollectionSettings({ collection, configure }: Props) {
  const { t } = useTranslation(['data', 'ui']);
  const refresh = useRefreshCollections();
  const saved = {
    title: collectionTitle(collection),
    description: collection.description ?? '',
    titleField: titleField(collection)?.name ?? null,
  };
  const [values, setValues] = useState(saved);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<Error | null>(null);
  const dirty = JSON.stringify(values) !== JSON.stringify(saved);
  const save = async (): Promise<boolean> => {
    if (!values.title.trim()) return false;
    setBusy(true);
    setError(null);
    try {
      await api.resource('collections').update(collection.name, { ...values, title: values.title.trim() });
      await refresh();
      toast.success(t('collections.saved'));
      return true;
    } catch (problem) {
      setError(problem as Error);
      return false;
    } finally {
      setBusy(false);
    }
  };
  const guard = useDirtyGuard({ dirty, onSave: save });
  const names = shownFields(collection).filter((field) => interfaceOf(field).id !== 'json');
  return (
    <form
      className={classes.panel}
      style={{ maxWidth: 640 }}
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      {guard.dialog}
      <Stack gap="md">
        {error && <ErrorState error={error} />}
        <TextInput
          label={t('column.title')}
          required
          readOnly={!configure}
          value={values.title}
          error={values.title.trim() ? undefined : t('collections.titleMissing')}
          onChange={(event) => setValues({ ...values, title: event.currentTarget.value })}
        />
        <TextInput label={t('column.name')} description={t('collections.nameLocked')} disabled value={collection.name} />
        <Textarea
          label={t('column.description')}
          autosize
          minRows={2}
          readOnly={!configure}
          value={values.description}
          onChange={(event) => setValues({ ...values, description: event.currentTarget.value })}
        />
        <Select
          label={t('collections.titleField')}
          description={t('collections.titleFieldHint')}
          data={names.map((field) => ({ value: field.name, label: fieldTitle(field) }))}
          value={values.titleField}
          readOnly={!configure}
          onChange={(name) => setValues({ ...values, titleField: name })}
        />
        {configure && (
          <Group justify="flex-end">
            <Button type="submit" loading={busy} disabled={!dirty || !values.title.trim()}>
              {t('save', { ns: 'ui' })}
            </Button>
          </Group>
        )}
      </Stack>
    </form>
  );
}
