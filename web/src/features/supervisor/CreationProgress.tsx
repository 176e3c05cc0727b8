import { Button, Group, Skeleton, Stack, Text } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { ErrorState } from '../../ui/ErrorState';
import { FormDrawer } from '../../ui/FormDrawer';
import { AppIcon } from './AppIcon';
import { AppStatusChip } from './AppStatusChip';
import { addressOf, type AppRow, type Progress, type StepState, titleOf } from './model';
import { ProgressSteps } from './ProgressSteps';
import { useApp } from './queries';
import { ReasonPanel } from './ReasonPanel';

/** The steps of a new app as the server reports them; closing changes nothing, the work goes on. */
export function CreationProgress({ name, onClose }: { name: string; onClose: () => void }) {
  const { t } = useTranslation(['supervisor', 'ui']);
  const { data: app, error, refetch } = useApp(name);
  const ready = app?.status === 'running' || app?.status === 'initialized';
  return (
    <FormDrawer
      opened
      onClose={onClose}
      title={t('create.progress')}
      size={720}
      footer={
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            {t('ui:close')}
          </Button>
          <Button
            component={Link}
            variant="default"
            to="/admin/settings/supervisor/apps/$name/{-$tab}"
            params={{ name } as never}
          >
            {t('create.details')}
          </Button>
          {app && ready && (
            <Button component="a" href={addressOf(app)}>
              {t('create.open')}
            </Button>
          )}
        </Group>
      }
    >
      {error && <ErrorState error={error} onRetry={() => void refetch()} />}
      {!error && !app && <Skeleton height={160} />}
      {app && (
        <Stack gap="md">
          <CreationSteps app={app} />
          <Text size="sm" c="dimmed">
            {t('create.closable')}
          </Text>
        </Stack>
      )}
    </FormDrawer>
  );
}

/** The steps as last reported; an app at rest reports none, so those before its state are done then. */
function useStepsToTheEnd(app: AppRow): Progress | null {
  const [last, setLast] = useState<Progress | null>(null);
  if (app.progress && app.progress !== last) setLast(app.progress);
  if (app.progress || !last) return app.progress ?? last;
  const finished = (name: string): StepState => (name === 'start' && app.status !== 'running' ? 'waiting' : 'done');
  return { steps: last.steps.map((step) => ({ ...step, state: finished(step.name) })) };
}

/** Name, state and steps of an app that is being made, and why it stands still when it does. */
export function CreationSteps({ app }: { app: AppRow }) {
  const progress = useStepsToTheEnd(app);
  return (
    <Stack gap="md">
      <Group gap="sm" wrap="nowrap">
        <AppIcon app={app} size={40} />
        <div>
          <Text fw={650}>{titleOf(app)}</Text>
          <div role="status">
            <AppStatusChip status={app.status} />
          </div>
        </div>
      </Group>
      {progress && <ProgressSteps progress={progress} />}
      <ReasonPanel app={app} />
    </Stack>
  );
}
