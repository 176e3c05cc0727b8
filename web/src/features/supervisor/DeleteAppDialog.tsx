import { Checkbox, Stack, Text } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { ConfirmDialog } from '../../ui/ConfirmDialog';
import { toast } from '../../ui/toasts';
import { type AppRow, titleOf } from './model';
import { destroyApp } from './queries';

interface Props {
  app: AppRow;
  opened: boolean;
  onClose: () => void;
  onDeleted?: () => void;
}

/** Asks for the app's id; the database stays unless asked otherwise. */
export function DeleteAppDialog({ app, opened, onClose, onDeleted }: Props) {
  const { t } = useTranslation('supervisor');
  const client = useQueryClient();
  const [removeDatabase, setRemoveDatabase] = useState(false);
  const [force, setForce] = useState(false);
  const unreachable = Object.values(app.statuses ?? {}).includes('unknown');
  const name = titleOf(app);
  const running = app.status === 'running';

  const confirm = async () => {
    const gone = await destroyApp(client, app.name, { removeDatabase, force });
    toast.success(gone ? t('delete.done', { name }) : t('delete.begun', { name }));
    onDeleted?.();
  };

  return (
    <ConfirmDialog
      opened={opened}
      onClose={onClose}
      question={t('delete.question', { name })}
      verb={running ? t('delete.stopAndDelete') : t('delete.verb')}
      danger
      typed={app.name}
      onConfirm={confirm}
    >
      <Stack gap="sm">
        <Text size="sm">{running ? t('delete.consequenceRunning') : t('delete.consequence')}</Text>
        <Checkbox
          checked={removeDatabase}
          onChange={(event) => setRemoveDatabase(event.currentTarget.checked)}
          label={t('delete.database')}
          description={t('delete.databaseHint')}
        />
        {unreachable && (
          <Checkbox
            checked={force}
            onChange={(event) => setForce(event.currentTarget.checked)}
            label={t('delete.force')}
            description={t('delete.forceHint')}
          />
        )}
      </Stack>
    </ConfirmDialog>
  );
}
