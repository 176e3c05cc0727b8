import { Checkbox, List, Stack, Text } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { ConfirmDialog } from '../../ui/ConfirmDialog';
import { toast } from '../../ui/toasts';
import { type AppRow, titleOf } from './model';
import { destroyApps } from './queries';

interface Props {
  apps: AppRow[];
  onClose: () => void;
}

/** Asks before several apps are deleted: their names are listed, and a word has to be typed. */
export function DeleteAppsDialog({ apps, onClose }: Props) {
  const { t } = useTranslation('supervisor');
  const client = useQueryClient();
  const [removeDatabase, setRemoveDatabase] = useState(false);
  const count = apps.length;
  const confirm = async () => {
    await destroyApps(client, apps.map((app) => app.name), removeDatabase);
    toast.success(t('delete.begunMany', { count }));
  };
  return (
    <ConfirmDialog
      opened={count > 0}
      onClose={onClose}
      question={t('delete.questionMany', { count })}
      verb={t('delete.verbMany', { count })}
      danger
      typed={t('delete.word', { count })}
      onConfirm={confirm}
    >
      <Stack gap="sm">
        <Text size="sm">{t('delete.consequenceMany')}</Text>
        <List size="sm">
          {apps.map((app) => (
            <List.Item key={app.name}>
              {titleOf(app)} ({app.name})
            </List.Item>
          ))}
        </List>
        <Checkbox
          checked={removeDatabase}
          onChange={(event) => setRemoveDatabase(event.currentTarget.checked)}
          label={t('delete.databaseMany')}
          description={t('delete.databaseHint')}
        />
      </Stack>
    </ConfirmDialog>
  );
}
