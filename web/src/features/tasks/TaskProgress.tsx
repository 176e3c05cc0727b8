import { Progress, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { percentOf, roughly, type Task } from './model';

/** How far a task is: a bar, numbers, and what is probably left. */
export function TaskProgress({ task }: { task: Task }) {
  const { t, i18n } = useTranslation('tasks');
  const number = new Intl.NumberFormat(i18n.language);
  const percent = percentOf(task);
  const parts: string[] = [];
  if (task.status === null) parts.push(t('state.waiting'));
  else if (percent === null) parts.push(task.progressCurrent > 0 ? number.format(task.progressCurrent) : t('state.running'));
  else parts.push(`${number.format(task.progressCurrent)} / ${number.format(task.progressTotal ?? 0)}`, `${percent} %`);
  if (task.status === 0 && task.remainingSeconds !== null && task.remainingSeconds > 0) {
    const { unit, value } = roughly(task.remainingSeconds);
    parts.push(t('left', { time: new Intl.NumberFormat(i18n.language, { style: 'unit', unit, unitDisplay: 'short' }).format(value) }));
  }
  return (
    <>
      <Progress value={percent ?? 100} animated={task.status === 0 && percent === null} my={6} aria-label={task.title} />
      <Text size="xs" c="dimmed">
        {parts.join(' · ')}
      </Text>
      {task.waitingReason && (
        <Text size="xs" c="var(--mantine-color-error)">
          {task.waitingReason}
        </Text>
      )}
    </>
  );
}
