import { Button, Group, Stack, Text } from '@mantine/core';
import type { FormEvent, ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import { ErrorState } from '../../ui/ErrorState';

interface Props {
  about: string;
  error: Error | null;
  busy: boolean;
  verb: string;
  onSubmit: () => void;
  onSkip: () => void;
  children: ReactNode;
}

/** One step of the wizard: what it is for, its inputs, and the way past it. */
export function StepForm({ about, error, busy, verb, onSubmit, onSkip, children }: Props) {
  const { t } = useTranslation('setup');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onSubmit();
  };
  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="md">
        <Text size="sm">{about}</Text>
        {error && <ErrorState error={error} />}
        {children}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" disabled={busy} onClick={onSkip}>
            {t('skipStep')}
          </Button>
          <Button type="submit" loading={busy}>
            {verb}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
