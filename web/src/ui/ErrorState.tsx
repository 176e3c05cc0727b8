import { Alert, Button, Code, Group, Text } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';

import { ApiError } from '../app/errors';
import { CopyText } from './CopyText';
import { errorDetails, errorText } from './errorText';

interface Props {
  error: Error;
  onRetry?: () => void;
}

/** What happened, what to do, the request's id, and Retry. */
export function ErrorState({ error, onRetry }: Props) {
  const { t } = useTranslation('ui');
  const remedy = error instanceof ApiError ? error.items[0]?.remedy : undefined;
  const code = error instanceof ApiError ? error.code : undefined;
  const requestId = error instanceof ApiError ? error.requestId : null;
  return (
    <Alert role="alert" color="red" variant="light" icon={<IconAlertTriangle aria-hidden />} title={t('error.title')}>
      <Text size="sm">{errorText(error, t)}</Text>
      {remedy && (
        <Text size="sm" mt={4}>
          {remedy}
        </Text>
      )}
      {(code || requestId) && (
        <Text size="xs" mt="xs" component="div">
          {code && <Code>{code}</Code>} {requestId && t('error.requestId', { id: requestId })}
        </Text>
      )}
      <Group gap="xs" mt="sm">
        {onRetry && (
          <Button size="compact-sm" variant="default" onClick={onRetry}>
            {t('error.retry')}
          </Button>
        )}
        <CopyText text={errorDetails(error)} label={t('error.copyDetails')} />
      </Group>
    </Alert>
  );
}
