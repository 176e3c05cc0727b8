import { Alert, Button, Stack } from '@mantine/core';
import { IconAlertTriangle, IconDownload } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { FormDrawer } from '../../ui/FormDrawer';
import { StatusChip } from '../../ui/StatusChip';
import { dateTime } from '../../ui/time';
import { toast } from '../../ui/toasts';
import { Facts } from '../../ui/Facts';
import { nameOf, TONES } from '../tasks/kind';
import { isUnfinished, stateOf, type Task } from '../tasks/model';
import { fetchResult } from '../tasks/queries';
import { TaskProgress } from '../tasks/TaskProgress';
import classes from './work.module.css';

const COUNTS = ['rows', 'created', 'updated', 'changed', 'skipped', 'failed'] as const;

/** One task: when, how far, what came of it, and the first reasons why rows failed. */
export function TaskDetails({ task, onClose }: { task: Task | undefined; onClose: () => void }) {
  const { t } = useTranslation(['tasks', 'work']);
  return (
    <FormDrawer
      opened={task !== undefined}
      onClose={onClose}
      title={task ? nameOf(task, t) : ''}
      size={520}
      footer={
        task?.result?.file && (
          <Button leftSection={<IconDownload size={16} aria-hidden />} onClick={() => void fetchResult(task).catch(toast.error)}>
            {t(task.type === 'import' ? 'downloadFailed' : 'download')}
          </Button>
        )
      }
    >
      {task && <Content task={task} />}
    </FormDrawer>
  );
}

function Content({ task }: { task: Task }) {
  const { t, i18n } = useTranslation(['tasks', 'work']);
  const number = new Intl.NumberFormat(i18n.language);
  const state = stateOf(task);
  const problems = (task.result?.problems ?? []) as { row: number; reason: string }[];
  const moments = (['createdAt', 'startedAt', 'doneAt'] as const).map(
    (name): [string, ReactNode] => [t(`work:columns.${name}`), task[name] ? dateTime(task[name], i18n.language) : '–'],
  );
  const counts = COUNTS.filter((name) => typeof task.result?.[name] === 'number').map(
    (name): [string, ReactNode] => [t(`work:counts.${name}`), number.format(Number(task.result?.[name]))],
  );
  return (
    <Stack gap="md">
      {state === 'failed' && (
        <Alert color="red" icon={<IconAlertTriangle size={18} aria-hidden />}>
          {task.result?.message}
        </Alert>
      )}
      {isUnfinished(task) && (
        <div>
          <TaskProgress task={task} />
        </div>
      )}
      <Facts facts={[[t('work:columns.state'), <StatusChip key="state" tone={TONES[state]}>{t(`state.${state}`)}</StatusChip>], ...moments, ...counts]} />
      {problems.length > 0 && (
        <ul className={classes.problems} aria-label={t('work:problems')}>
          {problems.map((problem) => (
            <li key={problem.row}>{t('work:problem', problem)}</li>
          ))}
        </ul>
      )}
    </Stack>
  );
}
