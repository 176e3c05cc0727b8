import { Button, Checkbox, Stack } from '@mantine/core';
import { IconRotate } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { ConfirmDialog } from '../../ui/ConfirmDialog';
import { toast } from '../../ui/toasts';
import { rotateSecret } from './queries';

/** A new secret for sign-in tokens: everybody has to sign in again once the app has started with it. */
export function RotateSecret({ name }: { name: string }) {
  const { t } = useTranslation('supervisor');
  const client = useQueryClient();
  const [asking, setAsking] = useState(false);
  const [restart, setRestart] = useState(true);
  const rotate = async () => {
    await rotateSecret(client, name, restart);
    toast.success(restart ? t('rotate.doneNow') : t('rotate.doneLater'));
  };
  return (
    <>
      <Button variant="default" leftSection={<IconRotate size={16} aria-hidden />} onClick={() => setAsking(true)}>
        {t('rotate.open')}
      </Button>
      <ConfirmDialog
        opened={asking}
        onClose={() => setAsking(false)}
        question={t('rotate.question', { name })}
        verb={restart ? t('rotate.verbNow') : t('rotate.verb')}
        onConfirm={rotate}
      >
        <Stack gap="sm">
          {t('rotate.consequence')}
          <Checkbox
            label={t('rotate.restart')}
            description={t('rotate.restartHint')}
            checked={restart}
            onChange={(event) => setRestart(event.currentTarget.checked)}
          />
        </Stack>
      </ConfirmDialog>
    </>
  );
}
