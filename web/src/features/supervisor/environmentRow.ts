import type { EnvironmentRow, EnvironmentStatus } from './model';

/** The row as the server sends it: state and number of apps may come as plain fields. */
export type EnvironmentAnswer = Omit<EnvironmentRow, 'status' | 'apps'> & {
  status?: EnvironmentStatus;
  apps?: EnvironmentRow['apps'] | number;
  runningApps?: number;
};

/** A loop that is later than this answers visitors noticeably late. */
const LATE_SECONDS = 2;

function statusOf(row: EnvironmentAnswer, lag: number | undefined): EnvironmentStatus {
  if (row.status) return row.status;
  if (row.available && row.draining) return 'draining';
  if (row.available) return (lag ?? 0) > LATE_SECONDS ? 'late' : 'online';
  // An environment that is there but may not be used says why.
  return row.instances?.some((instance) => instance.alive) ? 'mismatch' : 'offline';
}

/** One shape for the screens. */
export function environmentFrom(row: EnvironmentAnswer): EnvironmentRow {
  const alive = row.instances?.filter((instance) => instance.alive) ?? [];
  const lag = row.lagSeconds ?? (alive.length > 0 ? Math.max(...alive.map((instance) => instance.lag ?? 0)) : undefined);
  const apps = typeof row.apps === 'number' ? { running: row.runningApps ?? 0, total: row.apps } : row.apps;
  return { ...row, apps, lagSeconds: lag, status: statusOf(row, lag) };
}
