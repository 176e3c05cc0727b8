import { Alert, Button, Code, Group, Text } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';

import { CopyText } from '../../ui/CopyText';
import { actionsFor, type AppRow } from './model';
import { useCommand } from './StartStop';

/** Why the app is in this state, what to do, and another attempt. Nothing when there is no reason to tell. */
export function ReasonPanel({ app }: { app: AppRow }) {
  const { t } = useTranslation(['supervisor', 'ui']);
  const { send, waiting } = useCommand(app);
  const { reason } = app;
  if (!reason) return null;
  const failed = app.status === 'error';
  const details = [`${app.name}: ${app.status}`, reason.code, reason.message, reason.remedy].filter(Boolean).join('\n');
  return (
    <Alert
      role={failed ? 'alert' : 'status'}
      color={failed ? 'red' : 'yellow'}
      variant="light"
      icon={<IconAlertTriangle aria-hidden />}
      title={reason.message}
    >
      {reason.remedy && <Text size="sm">{reason.remedy}</Text>}
      <Code>{reason.code}</Code>
      <Group gap="xs" mt="sm">
        {failed && actionsFor(app.status).start && (
          <Button size="compact-sm" variant="default" loading={waiting} onClick={() => void send('start')}>
            {t('command.retry')}
          </Button>
        )}
        <CopyText text={details} label={t('ui:error.copyDetails')} />
      </Group>
    </Alert>
  );
}
