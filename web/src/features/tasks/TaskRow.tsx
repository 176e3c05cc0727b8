import { ActionIcon, Button, Group, Text, Tooltip } from '@mantine/core';
import { IconDownload, IconPlayerStop, IconX } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { RelativeTime } from '../../ui/RelativeTime';
import { toast } from '../../ui/toasts';
import { iconOf, nameOf } from './kind';
import { isUnfinished, stateOf, type Task } from './model';
import { dismissTask, fetchResult, stopTask } from './queries';
import { TaskProgress } from './TaskProgress';
import classes from './TaskTray.module.css';

/** One task of the tray: what it is, how far it is, and what can be done about it. */
export function TaskRow({ task }: { task: Task }) {
  const { t } = useTranslation('tasks');
  const client = useQueryClient();
  const [busy, setBusy] = useState(false);
  const state = stateOf(task);
  const Icon = iconOf(task);
  const act = async (work: () => Promise<void>) => {
    setBusy(true);
    try {
      await work();
    } catch (error) {
      toast.error(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <li className={classes.row}>
      <Icon size={20} className={classes.icon} aria-hidden />
      <div>
        <Text size="sm" fw={500} className={classes.title}>
          {nameOf(task, t)}
        </Text>
        {isUnfinished(task) ? (
          <TaskProgress task={task} />
        ) : (
          <Text size="xs" c={state === 'failed' ? 'var(--mantine-color-error)' : 'dimmed'}>
            {state === 'failed' ? task.result?.message : t(`state.${state}`)}
            {' · '}
            <RelativeTime value={task.doneAt ?? task.createdAt} />
          </Text>
        )}
        {task.result?.file && (
          <Button mt={6} size="compact-sm" variant="light" leftSection={<IconDownload size={14} aria-hidden />} loading={busy} onClick={() => void act(() => fetchResult(task))}>
            {t(task.type === 'import' ? 'downloadFailed' : 'download')}
          </Button>
        )}
      </div>
      <Group gap={0} wrap="nowrap">
        {isUnfinished(task) ? (
          task.cancelable && (
            <Tooltip label={t('stop')}>
              <ActionIcon variant="subtle" color="gray" size="lg" aria-label={t('stopOne', { title: task.title })} disabled={busy} onClick={() => void act(() => stopTask(client, task))}>
                <IconPlayerStop size={18} aria-hidden />
              </ActionIcon>
            </Tooltip>
          )
        ) : (
          <Tooltip label={t('dismiss')}>
            <ActionIcon variant="subtle" color="gray" size="lg" aria-label={t('dismissOne', { title: task.title })} disabled={busy} onClick={() => void act(() => dismissTask(client, task))}>
              <IconX size={18} aria-hidden />
            </ActionIcon>
          </Tooltip>
        )}
      </Group>
    </li>
  );
}
