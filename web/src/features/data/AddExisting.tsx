import { Button, Group, Modal, Stack } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Key } from '../../app/api';
import { interfaceById, type FieldMeta } from '../../fields';
import { ErrorState } from '../../ui/ErrorState';
import { fieldTitle } from './model';

interface Props {
  field: FieldMeta;
  onAdd: (keys: Key[]) => Promise<unknown>;
  onClose: () => void;
}

/** Chooses records that are there already, to link them. */
export function AddExisting({ field, onAdd, onClose }: Props) {
  const { t } = useTranslation(['data', 'fields', 'ui']);
  const [chosen, setChosen] = useState<Record<string, unknown>[]>([]);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<Error | null>(null);
  const { related } = field;
  const { Edit } = interfaceById('m2m');
  if (!related || !Edit) return null;
  const add = async () => {
    setBusy(true);
    setError(null);
    try {
      await onAdd(chosen.map((record) => record[related.key] as Key));
      onClose();
    } catch (problem) {
      setError(problem as Error);
      setBusy(false);
    }
  };
  return (
    <Modal opened onClose={onClose} title={t('related.addTo', { title: fieldTitle(field) })} closeButtonProps={{ size: 'md' }} closeOnClickOutside={chosen.length === 0}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (chosen.length > 0 && !busy) void add();
        }}
      >
        {/* Room for the list of choices, which stays open while several are chosen. */}
        <Stack gap="md" mih={340} justify="space-between">
          <Stack gap="md">
            {error && <ErrorState error={error} />}
            <Edit field={field} label={related.collectionTitle} value={chosen} onChange={(value) => setChosen(value as typeof chosen)} autoFocus />
          </Stack>
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              {t('cancel', { ns: 'ui' })}
            </Button>
            <Button type="submit" loading={busy} disabled={chosen.length === 0}>
              {t('related.add', { count: chosen.length })}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
