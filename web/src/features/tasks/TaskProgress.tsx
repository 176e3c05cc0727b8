import { Progress, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import classes from './TaskTray.module.css';
import { percentOf, roughly, type Task } from './model';

/** How far a task is: a bar, numbers, and what is probably left; `inline`: on the height of a table's row. */
export function TaskProgress({ task, inline = false }: { task: Task; inline?: boolean }) {
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
  const reason = task.waitingService ? t('waitingFor', { service: task.waitingService }) : null;
  const bar = task.status === 0 && <Progress value={percent ?? 100} animated={percent === null} my={inline ? 0 : 6} aria-label={task.title} />;
  const text = (
    <Text size="xs" c={reason ? 'var(--mantine-color-error)' : 'dimmed'} title={task.waitingReason ?? undefined}>
      {reason ?? parts.join(' · ')}
    </Text>
  );
  return inline ? <div className={classes.inline}>{bar}{text}</div> : <>{bar}{text}{reason && <Text size="xs" c="dimmed">{t('waitingRemedy', { service: task.waitingService })}</Text>}</>;
}
