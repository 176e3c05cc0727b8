import { Button, Group, Stack } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api } from '../../app/api';
import { ErrorState } from '../../ui/ErrorState';
import { FormDrawer } from '../../ui/FormDrawer';
import { toast } from '../../ui/toasts';
import { InvalidInput, interfaceById, type FieldMeta } from '../../fields';
import { checkDraft, createBody, draftOf, updateBody, type FieldDraft } from './fieldDraft';
import { FieldForm } from './FieldForm';
import { fieldsOf, fieldTitle, type CollectionMeta } from './model';
import { useRefreshCollections, useRefreshRecords } from './queries';

interface Props {
  collection: CollectionMeta;
  /** Null for a new field. */
  field: FieldMeta | null;
  onClose: () => void;
}

/** Add or change one field. */
export function FieldDrawer({ collection, field, onClose }: Props) {
  const { t } = useTranslation(['data', 'fields', 'ui']);
  const [draft, setDraft] = useState<FieldDraft>(() => (field ? { field, namedByHand: true } : draftOf(interfaceById('text'))));
  const [start] = useState(draft);
  const [tried, setTried] = useState(false);
  const [saving, setSaving] = useState(false);
  const [error, setError] = useState<Error | null>(null);
  const refresh = useRefreshCollections();
  const refreshRecords = useRefreshRecords(collection.name);
  const taken = fieldsOf(collection).filter((other) => other !== field).map((other) => other.name);
  const wrong = checkDraft(draft, field ? [] : taken) ?? (draft.field.defaultValue instanceof InvalidInput ? 'field.defaultWrong' : null);
  const message = tried && wrong ? t(wrong) : undefined;

  const save = async (): Promise<boolean> => {
    setTried(true);
    if (wrong || saving) return false;
    setSaving(true);
    setError(null);
    try {
      const fields = api.resource<FieldMeta>(`collections/${collection.name}/fields`);
      if (field) await fields.update(field.name, updateBody(draft.field, field));
      else await fields.create(createBody(draft));
      await Promise.all([refresh(), refreshRecords()]);
      toast.success(t(field ? 'field.saved' : 'field.added', { title: fieldTitle(draft.field) }));
      return true;
    } catch (problem) {
      setError(problem as Error);
      return false;
    } finally {
      setSaving(false);
    }
  };
  return (
    <FormDrawer
      opened
      onClose={onClose}
      size={560}
      dirty={JSON.stringify(draft) !== JSON.stringify(start)}
      onSave={save}
      title={field ? fieldTitle(field) : t('field.new')}
      footer={
        <Group justify="flex-end">
          <Button type="submit" form="field-form" loading={saving}>
            {field ? t('save', { ns: 'ui' }) : t('field.add')}
          </Button>
        </Group>
      }
    >
      <form
        id="field-form"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void save().then((done) => done && onClose());
        }}
      >
        <Stack gap="md">
          {error && <ErrorState error={error} />}
          <FieldForm
            draft={draft}
            onChange={setDraft}
            taken={taken}
            existing={field !== null}
            errors={{
              title: wrong === 'field.titleMissing' ? message : undefined,
              name: wrong?.startsWith('name.') ? message : undefined,
            }}
          />
          {message && !wrong?.startsWith('name.') && wrong !== 'field.titleMissing' && <ErrorState error={new Error(message)} />}
        </Stack>
      </form>
    </FormDrawer>
  );
}
