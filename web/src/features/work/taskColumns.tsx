import { Group, Text } from '@mantine/core';
import type { TFunction } from 'i18next';
import { useTranslation } from 'react-i18next';
import type { GridColumn } from '../../ui/DataGrid';
import { RelativeTime } from '../../ui/RelativeTime';
import { StatusChip } from '../../ui/StatusChip';
import { dateTime } from '../../ui/time';
import { iconOf, nameOf, TONES } from '../tasks/kind';
import { isUnfinished, percentOf, stateOf, type Task } from '../tasks/model';
import { TaskProgress } from '../tasks/TaskProgress';

const ownerOf = (task: Task): string => task.createdBy?.nickname || task.createdBy?.username || (task.createdById ? `#${task.createdById}` : '');

/** Columns of the page of all tasks; `all`: those of everybody, with their owners. */
export function taskColumns(t: TFunction<'tasks'>, language: string, all: boolean): GridColumn<Task>[] {
  const moment = (id: 'createdAt' | 'doneAt'): GridColumn<Task> => ({
    id,
    title: t(`work:columns.${id}`),
    text: (task) => (task[id] ? dateTime(task[id], language) : ''),
    cell: (task) => (task[id] ? <RelativeTime value={task[id]} /> : '–'),
    width: 132,
    card: 'field',
  });
  return [
    {
      id: 'title',
      title: t('work:columns.title'),
      text: (task) => nameOf(task, t),
      cell: (task) => {
        const Icon = iconOf(task);
        return (
          <Group gap={8} wrap="nowrap" miw={0}>
            <Icon size={18} aria-hidden style={{ flex: 'none' }} />
            <Text size="sm" truncate span>
              {nameOf(task, t)}
            </Text>
          </Group>
        );
      },
      width: 250,
      pin: 'left',
      hideable: false,
      card: 'title',
    },
    {
      id: 'status',
      title: t('work:columns.state'),
      text: (task) => t(`state.${stateOf(task)}`),
      cell: (task) => <StatusChip tone={task.waitingService ? 'bad' : TONES[stateOf(task)]}>{t(`state.${stateOf(task)}`)}</StatusChip>,
      width: 120,
      card: 'status',
    },
    {
      id: 'progressCurrent',
      title: t('work:columns.progress'),
      text: (task) => (percentOf(task) === null ? '' : `${percentOf(task)} %`),
      cell: (task) => (isUnfinished(task) ? <TaskProgress task={task} inline /> : <Ended task={task} language={language} />),
      sortable: false,
      width: 290,
      card: 'field',
    },
    ...(all ? [{ id: 'createdById', title: t('work:columns.who'), text: ownerOf, width: 150, card: 'field' as const }] : []),
    moment('createdAt'),
    moment('doneAt'),
  ];
}

/** What became of it: the reason of a failure, or how much was done. */
function Ended({ task, language }: { task: Task; language: string }) {
  const { t } = useTranslation('work');
  const text = task.result?.message ?? (task.progressCurrent > 0 ? t('amount', { count: task.progressCurrent, shown: new Intl.NumberFormat(language).format(task.progressCurrent) }) : '');
  return (
    <Text size="sm" span truncate c={stateOf(task) === 'failed' ? 'var(--mantine-color-error)' : undefined} title={text}>
      {text}
    </Text>
  );
}
