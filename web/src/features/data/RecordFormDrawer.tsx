import { Button, Group } from '@mantine/core';
import { useHotkeys } from '@mantine/hooks';
import { useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';
import type { Key } from '../../app/api';
import { FormDrawer } from '../../ui/FormDrawer';
import { toast } from '../../ui/toasts';
import { collectionTitle, recordTitle, type CollectionMeta, type RecordRow } from './model';
import { useRefreshRecords } from './queries';
import { RecordFields } from './RecordFields';
import { useRecordForm, type FormPlace } from './useRecordForm';

interface Props {
  collection: CollectionMeta;
  /** Null for a new record. */
  record: RecordRow | null;
  recordKey: Key | null;
  onClose: () => void;
  /** After saving an existing record; default closes. */
  onSaved?: () => void;
  place?: FormPlace;
}

/** Form of one record in a drawer; never loses input by accident. */
export function RecordFormDrawer({ collection, record, recordKey, onClose, onSaved, place }: Props) {
  const { t } = useTranslation(['data', 'fields', 'ui']);
  const form = useRecordForm(collection, record, recordKey, place);
  const refresh = useRefreshRecords(collection.name);
  const [round, setRound] = useState(0);
  const isNew = recordKey === null;

  const save = async (): Promise<boolean> => {
    try {
      const saved = await form.save();
      if (!saved) return false;
      toast.success(t(isNew ? 'record.created' : 'record.saved', { name: recordTitle(collection, saved) }));
      await refresh();
      return true;
    } catch (error) {
      toast.error(error);
      return false;
    }
  };
  const submit = async (event?: FormEvent) => {
    event?.preventDefault();
    if (form.saving || !(await save())) return;
    (onSaved ?? onClose)();
  };
  const another = async () => {
    if (!(await save())) return;
    form.reset();
    setRound((old) => old + 1);
  };
  const submitKey = () => void submit();
  useHotkeys([['mod+S', submitKey], ['mod+Enter', submitKey]], [], true);
  const formId = `record-${collection.name}`;
  return (
    <FormDrawer
      opened
      onClose={onClose}
      dirty={form.dirty}
      onSave={save}
      title={isNew ? t('record.newIn', { title: collectionTitle(collection) }) : recordTitle(collection, record ?? {})}
      footer={
        <Group justify="flex-end" gap="xs">
          {isNew && (
            <Button variant="default" disabled={form.saving} onClick={() => void another()}>
              {t('record.saveAnother')}
            </Button>
          )}
          <Button type="submit" form={formId} loading={form.saving}>
            {t('save', { ns: 'ui' })}
          </Button>
        </Group>
      }
    >
      <form id={formId} noValidate onSubmit={(event) => void submit(event)}>
        <RecordFields form={form} round={round} />
      </form>
    </FormDrawer>
  );
}
