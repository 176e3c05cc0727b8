import { SegmentedControl } from '@mantine/core';
import { IconDownload, IconInfoCircle, IconPlayerStop, IconX } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { mayConfigure, useAccount } from '../../app/account';
import { boot } from '../../app/boot';
import { DataGrid, useGridState, type GridAction } from '../../ui/DataGrid';
import { toast } from '../../ui/toasts';
import { nameOf } from '../tasks/kind';
import { isUnfinished, type Task } from '../tasks/model';
import { dismissAny, stopAny, useTaskPage } from './tasks';
import { dismissTask, fetchResult, stopTask } from '../tasks/queries';
import { taskColumns } from './taskColumns';
import { TaskDetails } from './TaskDetails';
import type { TasksSearch } from './routes';
import { WorkTabs } from './WorkTabs';

/** All tasks of a person, or of everybody, and what can be done about them. */
export function TasksPage() {
  const { t, i18n } = useTranslation(['tasks', 'work']);
  const client = useQueryClient();
  const navigate = useNavigate();
  const mayAll = mayConfigure(useAccount());
  const search = useSearch({ strict: false }) as TasksSearch;
  const all = search.all === true && mayAll;
  const [state, setState] = useGridState('tasks');
  const { query, refresh } = useTaskPage(state, all);
  const show = (task: string | undefined) =>
    void navigate({ to: '.', search: (old: Record<string, unknown>) => ({ ...old, task }), ignoreBlocker: true });
  const columns = useMemo(() => taskColumns(t, i18n.language, all), [t, i18n.language, all]);
  const act = (work: Promise<unknown>) => void work.catch(toast.error).finally(refresh);
  const actions = (task: Task): GridAction<Task>[] => [
    { id: 'details', label: t('work:details'), icon: <IconInfoCircle size={16} />, onAction: () => show(task.id) },
    ...(task.result?.file
      ? [{ id: 'download', label: t(task.type === 'import' ? 'downloadFailed' : 'download'), icon: <IconDownload size={16} />, onAction: () => act(fetchResult(task)) }]
      : []),
    ...(isUnfinished(task) && task.cancelable
      ? [{ id: 'stop', label: t('stop'), icon: <IconPlayerStop size={16} />, onAction: () => act(all ? stopAny(task) : stopTask(client, task)) }]
      : []),
    ...(!isUnfinished(task)
      ? [{ id: 'dismiss', label: t('dismiss'), icon: <IconX size={16} />, onAction: () => act(all ? dismissAny(task) : dismissTask(client, task)) }]
      : []),
  ];
  return (
    <>
      <WorkTabs active="tasks" />
      <DataGrid
        gridKey="tasks"
        label={t('work:tasks.title')}
        title={t('work:tasks.title')}
        description={t('work:tasks.description')}
        primary={
          mayAll && (
            <SegmentedControl
              aria-label={t('work:tasks.whose')}
              value={all ? 'all' : 'mine'}
              data={[{ value: 'mine', label: t('work:tasks.mine') }, { value: 'all', label: t('work:tasks.everybodys') }]}
              onChange={(value) => void navigate({ to: '/admin/settings/tasks', search: { all: value === 'all' || undefined } as never })}
            />
          )
        }
        columns={columns}
        query={query}
        state={state}
        onState={setState}
        rowId={(task) => task.id}
        rowName={(task) => nameOf(task, t)}
        rowHref={(task) => `${boot.basePath}/admin/settings/tasks?task=${task.id}${all ? '&all=true' : ''}`}
        onOpen={(task) => show(task.id)}
        rowActions={actions}
        empty={{ text: t('tray.empty') }}
      />
      <TaskDetails task={query.data?.rows.find((task) => task.id === search.task)} onClose={() => show(undefined)} />
    </>
  );
}
