import { Button, Group, Stack, Text } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import type { TFunction } from 'i18next';
import { useTranslation } from 'react-i18next';

import { announce } from '../../ui/announce';
import { CopyText } from '../../ui/CopyText';
import { StatusChip } from '../../ui/StatusChip';
import { toast } from '../../ui/toasts';
import { type AddressAnswer, testEnvironment } from './queries';

interface Props {
  environment: string;
  kind: 'url' | 'proxyUrl';
  address: string;
  /** All in one line, for a cell of a list; the reason of a failure is then a title. */
  inline?: boolean;
}

/** An address, with a button that has the Supervisor call it. */
export function AddressTest({ environment, kind, address, inline = false }: Props) {
  const { t } = useTranslation('supervisor');
  const name = t(`environments.${kind}`);
  const test = useMutation({
    mutationFn: async () => (await testEnvironment(environment))[kind],
    onSuccess: (answer) => answer && announce(`${name}: ${sentence(answer, t)}`),
    onError: toast.error,
  });
  const answer = test.data && (
    <span title={test.data.message || undefined}>
      <StatusChip tone={toneOf(test.data)}>{sentence(test.data, t)}</StatusChip>
    </span>
  );
  return (
    <Stack gap={4} align="flex-start">
      <Group gap={6} wrap={inline ? 'nowrap' : 'wrap'} maw="100%">
        <Text span size="sm" truncate={inline}>
          {address}
        </Text>
        <CopyText text={address} name={name} />
        <Button
          size="compact-sm"
          variant="default"
          flex="none"
          loading={test.isPending}
          aria-label={t('environments.testOf', { name, environment })}
          onClick={() => test.mutate()}
        >
          {t('environments.test')}
        </Button>
        {inline && answer}
      </Group>
      {!inline && answer}
      {!inline && test.data?.message && (
        <Text size="xs" c="dimmed">
          {test.data.message}
        </Text>
      )}
    </Stack>
  );
}

function toneOf({ status }: AddressAnswer) {
  if (status === null) return 'bad';
  return status < 400 ? 'good' : 'warn';
}

function sentence({ status, milliseconds }: AddressAnswer, t: TFunction<'supervisor'>): string {
  return status === null ? t('environments.noAnswer') : t('environments.answer', { status, ms: milliseconds });
}
