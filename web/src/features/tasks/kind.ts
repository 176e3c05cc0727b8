import { IconFileExport, IconFileImport, IconPencil, IconSubtask, IconTrash, type TablerIcon } from '@tabler/icons-react';
import type { TFunction } from 'i18next';
import type { Tone } from '../../ui/StatusChip';
import type { Task, TaskState } from './model';

const ICONS: Record<string, TablerIcon> = {
  export: IconFileExport, import: IconFileImport, 'records:update': IconPencil, 'records:destroy': IconTrash,
};

export const TONES: Record<TaskState, Tone> = { waiting: 'ready', running: 'busy', done: 'good', failed: 'bad', stopped: 'idle' };

export const iconOf = (task: Task): TablerIcon => ICONS[task.type] ?? IconSubtask;

/** "Export orders.xlsx". */
export const nameOf = (task: Task, t: TFunction<'tasks'>): string =>
  t(`type.${task.params?.dryRun === true ? 'check' : task.type.replace(':', '_')}`, { title: task.title, defaultValue: task.title });
