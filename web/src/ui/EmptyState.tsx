import { Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';

interface Props {
  /** One sentence: what is not here, and what it would be good for. */
  children: ReactNode;
  /** The one sensible next step. */
  action?: ReactNode;
}

export function EmptyState({ children, action }: Props) {
  return (
    <Stack align="center" gap="md" py={56} px="md">
      <Text ta="center" maw={460} c="dimmed">
        {children}
      </Text>
      {action}
    </Stack>
  );
}
