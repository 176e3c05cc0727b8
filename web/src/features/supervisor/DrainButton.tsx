import { Button } from '@mantine/core';
import { IconPlayerPause, IconPlayerPlay } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';

import { ConfirmButton } from '../../ui/ConfirmButton';
import { toast } from '../../ui/toasts';
import type { EnvironmentRow } from './model';
import { drainEnvironment } from './queries';

/** Takes a live environment out of service before its machine is worked on, and brings it back. */
export function DrainButton({ environment }: { environment: EnvironmentRow }) {
  const { t } = useTranslation('supervisor');
  const client = useQueryClient();
  const { name, draining } = environment;
  const undrain = useMutation({ mutationFn: () => drainEnvironment(client, name, false), onError: toast.error });
  if (draining) {
    return (
      <Button
        variant="default"
        loading={undrain.isPending}
        leftSection={<IconPlayerPlay size={16} aria-hidden />}
        onClick={() => undrain.mutate()}
      >
        {t('drain.back')}
      </Button>
    );
  }
  if (environment.status === 'offline') return null;
  return (
    <ConfirmButton
      variant="default"
      leftSection={<IconPlayerPause size={16} aria-hidden />}
      question={t('drain.question', { name })}
      consequences={t('drain.consequence')}
      verb={t('drain.verb')}
      onConfirm={() => drainEnvironment(client, name, true)}
    >
      {t('drain.open')}
    </ConfirmButton>
  );
}
