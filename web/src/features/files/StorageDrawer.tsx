import { Alert, Button, Checkbox, Group, NumberInput, PasswordInput, SegmentedControl, Select, Stack, TextInput } from '@mantine/core';
import { IconCheck, IconPlugConnected, IconTrash } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api } from '../../app/api';
import { ConfirmDialog } from '../../ui/ConfirmDialog';
import { ErrorState } from '../../ui/ErrorState';
import { FormDrawer } from '../../ui/FormDrawer';
import { toast } from '../../ui/toasts';
import { bodyOf, draftOf, RENAME_MODES, titleOf, type StorageDraft, type StorageRow } from './model';

interface Props {
  /** Null for a new one. */
  row: StorageRow | null;
  onClose: () => void;
}

/** One storage: where it is, what it accepts, and whether it can be reached. */
export function StorageDrawer({ row, onClose }: Props) {
  const { t } = useTranslation(['files', 'ui']);
  const client = useQueryClient();
  const [start] = useState(() => draftOf(row));
  const [draft, setDraft] = useState(start);
  const [busy, setBusy] = useState<'save' | 'test' | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const [reached, setReached] = useState<number | null>(null);
  const [asking, setAsking] = useState(false);
  const patch = (values: Partial<StorageDraft>) => {
    setReached(null);
    setDraft((old) => ({ ...old, ...values }));
  };
  const during = async (what: 'save' | 'test', work: () => Promise<unknown>): Promise<boolean> => {
    setBusy(what);
    setError(null);
    setReached(null);
    try {
      await work();
      return true;
    } catch (problem) {
      setError(problem as Error);
      return false;
    } finally {
      setBusy(null);
    }
  };
  const refresh = () => Promise.all([client.invalidateQueries({ queryKey: ['storages'] }), client.invalidateQueries({ queryKey: ['storage-rules'] })]);
  const save = () =>
    during('save', async () => {
      const storages = api.resource<StorageRow>('storages');
      await (row ? storages.update(row.id, bodyOf(draft, row)) : storages.create(bodyOf(draft, row)));
      await refresh();
      toast.success(t('saved', { title: draft.title || draft.name }));
    });
  const test = () =>
    during('test', async () => {
      const params = row ? { filterByTk: row.id } : {};
      setReached((await api.call<{ milliseconds: number }>('storages:test', { params, body: bodyOf(draft, row) })).milliseconds);
    });
  const text = (name: 'bucket' | 'region' | 'endpoint' | 'accessKeyId' | 'path' | 'documentRoot', required = false) => (
    <TextInput
      label={t(`form.${name}`)}
      description={t(`hint.${name}`, { defaultValue: '' }) || undefined}
      required={required}
      spellCheck={false}
      value={draft[name]}
      onChange={(event) => patch({ [name]: event.currentTarget.value })}
    />
  );
  return (
    <FormDrawer
      opened
      onClose={onClose}
      size={560}
      dirty={JSON.stringify(draft) !== JSON.stringify(start)}
      onSave={save}
      title={row ? titleOf(row) : t('new')}
      footer={
        <Group justify="space-between">
          <Button variant="default" leftSection={<IconPlugConnected size={16} aria-hidden />} loading={busy === 'test'} onClick={() => void test()}>
            {t('test')}
          </Button>
          <Group gap="xs">
            {row && !row.default && row.name !== 'local' && (
              <Button variant="subtle" color="red" leftSection={<IconTrash size={16} aria-hidden />} onClick={() => setAsking(true)}>
                {t('delete')}
              </Button>
            )}
            <Button type="submit" form="storage-form" loading={busy === 'save'}>
              {t('save', { ns: 'ui' })}
            </Button>
          </Group>
        </Group>
      }
    >
      <form
        id="storage-form"
        onSubmit={(event) => {
          event.preventDefault();
          void save().then((done) => done && onClose());
        }}
      >
        <Stack gap="md">
          {error && <ErrorState error={error} />}
          {reached !== null && (
            <Alert role="status" color="green" variant="light" icon={<IconCheck aria-hidden />}>
              {t('reached', { milliseconds: reached })}
            </Alert>
          )}
          <TextInput data-autofocus label={t('form.title')} value={draft.title} onChange={(event) => patch({ title: event.currentTarget.value })} />
          <TextInput
            label={t('form.name')}
            description={t('hint.name')}
            required
            disabled={row !== null}
            spellCheck={false}
            value={draft.name}
            onChange={(event) => patch({ name: event.currentTarget.value })}
          />
          {!row && (
            <SegmentedControl
              aria-label={t('columns.type')}
              data={(['local', 's3'] as const).map((value) => ({ value, label: t(`type.${value}`) }))}
              value={draft.type}
              onChange={(type) => patch({ type: type === 's3' ? 's3' : 'local' })}
            />
          )}
          {draft.type === 's3' ? (
            <>
              {text('bucket', true)}
              {text('endpoint')}
              {text('region')}
              {text('accessKeyId', true)}
              <PasswordInput
                label={t('form.secretAccessKey')}
                required
                autoComplete="off"
                value={draft.secretAccessKey}
                onChange={(event) => patch({ secretAccessKey: event.currentTarget.value })}
              />
            </>
          ) : (
            text('documentRoot')
          )}
          {text('path')}
          <NumberInput label={t('form.size')} min={0.001} decimalScale={3} value={draft.size} onChange={(size) => patch({ size: typeof size === 'number' ? size : '' })} />
          <TextInput
            label={t('form.mimetype')}
            description={t('hint.mimetype')}
            placeholder="image/*, application/pdf"
            spellCheck={false}
            value={draft.mimetype}
            onChange={(event) => patch({ mimetype: event.currentTarget.value })}
          />
          <Select
            label={t('form.renameMode')}
            allowDeselect={false}
            data={RENAME_MODES.map((value) => ({ value, label: t(`rename.${value}`) }))}
            value={draft.renameMode}
            onChange={(renameMode) => renameMode && patch({ renameMode })}
          />
          <Checkbox
            label={t('form.default')}
            disabled={row?.default === true}
            checked={draft.isDefault}
            onChange={(event) => patch({ isDefault: event.currentTarget.checked })}
          />
          <Checkbox label={t('form.paranoid')} checked={draft.paranoid} onChange={(event) => patch({ paranoid: event.currentTarget.checked })} />
        </Stack>
      </form>
      <ConfirmDialog
        opened={asking}
        onClose={() => setAsking(false)}
        question={t('deleteQuestion', { title: row ? titleOf(row) : '' })}
        verb={t('delete')}
        danger
        onConfirm={async () => {
          await api.resource('storages').destroy(row?.id ?? '');
          await refresh();
          setDraft(start);
          onClose();
        }}
      >
        {t('deleteText')}
      </ConfirmDialog>
    </FormDrawer>
  );
}
