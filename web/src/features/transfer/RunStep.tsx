import { Alert, Button, Group, Stack, Text } from '@mantine/core';
import { IconAlertTriangle, IconCheck, IconDownload, IconPlayerStop } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { toast } from '../../ui/toasts';
import { isUnfinished, stateOf, type Task } from '../tasks/model';
import { fetchResult, stopTask } from '../tasks/queries';
import { TaskProgress } from '../tasks/TaskProgress';

const COUNTS = ['created', 'updated', 'skipped', 'failed'] as const;

/** The import itself: how far it is, and then what became of the rows. */
export function RunStep({ task }: { task: Task | undefined }) {
  const { t, i18n } = useTranslation('transfer');
  const client = useQueryClient();
  if (!task) return null;
  if (isUnfinished(task)) {
    return (
      <Stack gap="xs">
        <Text size="sm">{t('run.running')}</Text>
        <TaskProgress task={task} />
        <Group>
          <Button variant="default" size="compact-sm" leftSection={<IconPlayerStop size={14} aria-hidden />} onClick={() => void stopTask(client, task).catch(toast.error)}>
            {t('run.stop')}
          </Button>
        </Group>
      </Stack>
    );
  }
  const state = stateOf(task);
  if (state !== 'done') {
    return (
      <Alert color="red" icon={<IconAlertTriangle size={18} aria-hidden />} title={t(state === 'stopped' ? 'run.stopped' : 'run.failed')} role="alert">
        {state === 'stopped' ? t('run.stoppedAt', { count: task.progressCurrent }) : task.result?.message}
      </Alert>
    );
  }
  const result = task.result ?? {};
  const number = new Intl.NumberFormat(i18n.language);
  const failed = Number(result.failed ?? 0);
  return (
    <Alert color={failed > 0 ? 'yellow' : 'green'} icon={failed > 0 ? <IconAlertTriangle size={18} aria-hidden /> : <IconCheck size={18} aria-hidden />} title={t('run.done')} role="status">
      <Stack gap="xs" align="flex-start">
        <Text size="sm">
          {COUNTS.filter((name) => Number(result[name] ?? 0) > 0)
            .map((name) => t(`run.${name}`, { count: Number(result[name]), shown: number.format(Number(result[name])) }))
            .join(' · ') || t('run.nothing')}
        </Text>
        {result.file && (
          <>
            <Text size="sm">{t('run.fix')}</Text>
            <Button variant="default" leftSection={<IconDownload size={16} aria-hidden />} onClick={() => void fetchResult(task).catch(toast.error)}>
              {t('run.download')}
            </Button>
          </>
        )}
      </Stack>
    </Alert>
  );
}
