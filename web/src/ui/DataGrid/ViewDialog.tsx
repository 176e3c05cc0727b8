import { Button, Checkbox, Group, Modal, Stack, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ErrorState } from '../ErrorState';
import type { SavedView } from './views';

export interface ViewDraft {
  title: string;
  shared: boolean;
  /** The list opens in it by itself. */
  opens: boolean;
}

interface Props {
  /** Null for a new one. */
  view: SavedView | null;
  opens: boolean;
  onSave: (draft: ViewDraft) => Promise<unknown>;
  onClose: () => void;
}

const LONGEST = 100;

/** Name of a view, who sees it, and whether it opens by itself. */
export function ViewDialog({ view, opens, onSave, onClose }: Props) {
  const { t } = useTranslation(['grid', 'ui']);
  const [draft, setDraft] = useState<ViewDraft>({ title: view?.title ?? '', shared: view?.shared ?? false, opens });
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<Error | null>(null);
  const patch = (values: Partial<ViewDraft>) => setDraft((old) => ({ ...old, ...values }));
  const title = draft.title.trim();
  const submit = async () => {
    setTried(true);
    if (!title || busy) return;
    setBusy(true);
    setError(null);
    try {
      await onSave({ ...draft, title });
      onClose();
    } catch (problem) {
      setError(problem as Error);
      setBusy(false);
    }
  };
  return (
    <Modal opened onClose={onClose} title={t(view ? 'views.edit' : 'views.saveAs')} closeButtonProps={{ size: 'md' }}>
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <Stack gap="md">
          {error && <ErrorState error={error} />}
          <TextInput
            label={t('views.title')}
            required
            data-autofocus
            maxLength={LONGEST}
            value={draft.title}
            error={tried && !title ? t('views.titleMissing') : undefined}
            onChange={(event) => patch({ title: event.currentTarget.value })}
          />
          <Checkbox
            label={t('views.share')}
            description={t('views.shareHint')}
            checked={draft.shared}
            onChange={(event) => patch({ shared: event.currentTarget.checked })}
          />
          <Checkbox label={t('views.makeStandard')} checked={draft.opens} onChange={(event) => patch({ opens: event.currentTarget.checked })} />
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              {t('cancel', { ns: 'ui' })}
            </Button>
            <Button type="submit" loading={busy}>
              {t('save', { ns: 'ui' })}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
