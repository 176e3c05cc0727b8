import { Alert, Button, Group } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { useDirtyGuard } from '../useDirtyGuard';
import type { CellEdits } from './cellEdits';

/** How many values are not saved (they may be on another page of the list); leaving the list asks first. */
export function FailedBar<Row>({ edits }: { edits: CellEdits<Row> }) {
  const { t } = useTranslation('grid');
  const guard = useDirtyGuard({ dirty: true, onSave: () => edits.retryAll(), survivesOnPage: true });
  return (
    <Alert color="red" variant="light" p="xs" icon={<IconAlertTriangle aria-hidden />}>
      {guard.dialog}
      <Group gap="xs">
        {t('edits.count', { count: edits.failed })}
        <Button size="compact-sm" variant="default" onClick={() => void edits.retryAll()}>
          {t('edits.retryAll')}
        </Button>
        <Button size="compact-sm" variant="default" onClick={() => edits.discardAll()}>
          {t('edits.discardAll')}
        </Button>
      </Group>
    </Alert>
  );
}
