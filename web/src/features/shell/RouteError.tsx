import { Container } from '@mantine/core';
import { type ErrorComponentProps, useRouter } from '@tanstack/react-router';

import { ErrorState } from '../../ui/ErrorState';

export function RouteError({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  const retry = () => {
    reset();
    void router.invalidate();
  };
  const problem = error instanceof Error ? error : new Error(String(error));
  return (
    <Container size="sm" py="xl">
      <ErrorState error={problem} onRetry={retry} />
    </Container>
  );
}
