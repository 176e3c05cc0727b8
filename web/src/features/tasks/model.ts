/** Tasks as `asyncTasks:list` describes them. */

export interface TaskFile {
  name: string;
  size: number;
}

export interface Task {
  id: string;
  type: string;
  title: string;
  origin: string;
  /** Absent from the tasks of others. */
  params?: Record<string, unknown>;
  /** null waiting, 0 running, 1 done, -1 failed, -2 stopped. */
  status: null | 0 | 1 | -1 | -2;
  result: { message?: string; file?: TaskFile; [key: string]: unknown } | null;
  cancelable: boolean;
  progressTotal: number | null;
  progressCurrent: number;
  remainingSeconds: number | null;
  /** Why nobody takes it, while it waits. */
  waitingReason?: string | null;
  /** The service that no instance serves, while it waits for one. */
  waitingService?: string | null;
  createdById?: number | null;
  /** Whose it is, in the list of everybody's tasks. */
  createdBy?: { nickname: string | null; username: string | null } | null;
  createdAt: string;
  startedAt: string | null;
  doneAt: string | null;
}

export type TaskState = 'waiting' | 'running' | 'done' | 'failed' | 'stopped';

export function stateOf(task: Task): TaskState {
  if (task.status === null) return 'waiting';
  if (task.status === 0) return 'running';
  if (task.status === 1) return 'done';
  return task.status === -1 ? 'failed' : 'stopped';
}

export const isUnfinished = (task: Task): boolean => task.status === null || task.status === 0;

/** 0 to 100; null while the total is not known. */
export function percentOf(task: Task): number | null {
  if (!task.progressTotal) return null;
  return Math.min(100, Math.round((task.progressCurrent / task.progressTotal) * 100));
}

/** The newer one of a task in the list and one that a message brought: messages may overtake each other. */
export function newer(known: Task | undefined, told: Task): Task {
  if (!known) return told;
  if (!isUnfinished(known) && isUnfinished(told)) return known;
  if (known.status === 0 && told.status === 0 && told.progressCurrent < known.progressCurrent) return known;
  const waits = told.status === null;
  // Messages do not say why a task waits; only the list does.
  return { ...told, waitingReason: waits ? known.waitingReason : null, waitingService: waits ? known.waitingService : null };
}

/** How long something takes, roughly: seconds as the unit people think in. */
export function roughly(seconds: number): { unit: 'second' | 'minute' | 'hour'; value: number } {
  if (seconds < 60) return { unit: 'second', value: Math.max(1, Math.round(seconds)) };
  if (seconds < 5400) return { unit: 'minute', value: Math.round(seconds / 60) };
  return { unit: 'hour', value: Math.round(seconds / 3600) };
}
