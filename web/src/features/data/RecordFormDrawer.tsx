import { Button, Group } from '@mantine/core';
import { useHotkeys } from '@mantine/hooks';
import type { FormEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { useAccount } from '../../app/account';
import type { Key } from '../../app/api';
import { CloseDrawer, FormDrawer } from '../../ui/FormDrawer';
import { toast } from '../../ui/toasts';
import { ConflictDialog } from './ConflictDialog';
import { FormNotices } from './FormNotices';
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
export function RecordFormDrawer(props: Props) {
  const account = useAccount();
  // Whose input it is must be known before there is any.
  return account ? <Form {...props} user={account.id} /> : null;
}

function Form({ collection, record, recordKey, onClose, onSaved, place, user }: Props & { user: number }) {
  const { t } = useTranslation(['data', 'fields', 'ui']);
  const form = useRecordForm({ collection, record, recordKey, place, user });
  const refresh = useRefreshRecords(collection.name);
  const isNew = recordKey === null;

  const done = async (saving: Promise<RecordRow | null>): Promise<boolean> => {
    try {
      const saved = await saving;
      if (!saved) return false;
      toast.success(t(isNew ? 'record.created' : 'record.saved', { name: recordTitle(collection, saved) }));
      await refresh();
      return true;
    } catch (error) {
      toast.error(error);
      return false;
    }
  };
  const save = () => done(form.save());
  const submit = async (event?: FormEvent) => {
    event?.preventDefault();
    if (form.saving || !(await save())) return;
    (onSaved ?? onClose)();
  };
  const merge = async (yielded: ReadonlySet<string>) => {
    if (await done(form.merge(yielded, true))) (onSaved ?? onClose)();
  };
  const another = async () => {
    if (await save()) form.reset();
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
      onDiscard={form.discard}
      title={isNew ? t('record.newIn', { title: collectionTitle(collection) }) : recordTitle(collection, record ?? {})}
      footer={
        <Group justify="flex-end" gap="xs">
          <CloseDrawer>{t('cancel', { ns: 'ui' })}</CloseDrawer>
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
        <FormNotices form={form} />
        <RecordFields form={form} />
      </form>
      {form.conflict && form.isRefused && (
        <ConflictDialog conflict={form.conflict} verb={t('save', { ns: 'ui' })} onMerge={merge} onClose={form.keepEditing} />
      )}
    </FormDrawer>
  );
}
