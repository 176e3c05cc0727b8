import type { Tone } from '../../ui/StatusChip';
import type { Traffic } from './traffic';

export type AppStatus =
  | 'preparing' | 'initializing' | 'initialized' | 'running' | 'commanding' | 'stopped' | 'error' | 'not_found' | 'unknown';

export type StepState = 'pending' | 'waiting' | 'running' | 'done' | 'failed';

export interface Step {
  name: string;
  state: StepState;
  at?: string | null;
  message?: string | null;
}

export interface Progress {
  step?: string | null;
  steps: Step[];
  /** The app waits for its turn to start. */
  queue?: { position: number; since: string } | null;
}

/** What is needed to offer an app to people; its state is known only to those who may manage apps. */
export type ShownApp = Pick<AppRow, 'name' | 'displayName' | 'icon' | 'cname' | 'pinned' | 'sort' | 'options'> & {
  status?: AppStatus;
};

export interface Reason {
  code: string;
  message: string;
  remedy?: string | null;
}

export type AppAction = 'create' | 'update' | 'start' | 'stop' | 'restart' | 'destroy' | 'visit' | 'move' | 'rotate';

/** Somebody asked for something (`action`, `by`), or the state changed in one environment (`from`, `to`). */
export interface AppEvent {
  key: string;
  at: string;
  environment: string;
  from: AppStatus | '';
  to: AppStatus | '';
  action: AppAction | '';
  by: string;
  /** How long the state before lasted. */
  durationMs: number | null;
  message: string;
  reason: Reason | null;
}

/** What became of a command in one environment. */
export interface Receipt {
  state: 'accepted' | 'delivered' | 'applied' | 'failed' | 'expired';
  at: string;
  reason: Reason | null;
}

export interface InstanceStatus {
  environment: string;
  /** Absent while no process of the environment has reported the app. */
  instance?: string;
  status: AppStatus;
  since?: string | null;
  message?: string | null;
  version?: string | null;
}

export const DATABASE_MODES = ['new_database', 'new_schema', 'new_connection'] as const;
export type DatabaseMode = (typeof DATABASE_MODES)[number];

export interface DatabaseOptions {
  dialect?: string;
  storage?: string;
  host?: string;
  port?: number;
  database?: string;
  username?: string;
  password?: string;
  schema?: string;
  tablePrefix?: string;
}

export interface AppOptions {
  /** false: starts on the first visit. */
  autoStart?: boolean;
  dbConnType?: DatabaseMode;
  database?: DatabaseOptions;
  authManager?: { jwt?: { secret?: string } };
  hidden?: boolean;
  description?: string;
  template?: string;
  lang?: string;
  showInSwitcher?: boolean;
  [key: string]: unknown;
}

export interface AppRow {
  name: string;
  displayName?: string | null;
  icon?: string | null;
  cname?: string | null;
  pinned?: boolean | null;
  sort?: number | null;
  status: AppStatus;
  /** One entry per environment the app is placed in. */
  statuses?: Record<string, AppStatus>;
  environments?: string[];
  options?: AppOptions;
  desired?: 'running' | 'stopped' | 'ready';
  /** The first of `reasons`. */
  reason?: Reason | null;
  /** By environment. */
  reasons?: Record<string, Reason>;
  progress?: Progress | null;
  /** Changed options wait for a restart. */
  restartNeeded?: boolean;
  instances?: InstanceStatus[];
  traffic?: Traffic;
  /** What was asked for last. */
  operation?: { action: AppAction; by: string; at: string; receipts?: Record<string, Receipt> } | null;
  createdAt?: string;
  updatedAt?: string;
}

export type EnvironmentStatus = 'online' | 'late' | 'offline' | 'mismatch' | 'draining';

/** One process that offers the environment. */
export interface EnvironmentInstance {
  instance: string;
  host?: string;
  pid?: number;
  version?: string;
  since?: string | null;
  alive: boolean;
  /** Seconds by which its event loop last was late. */
  lag?: number;
  lastSeenAt?: string | null;
}

export interface EnvironmentRow {
  name: string;
  url?: string | null;
  proxyUrl?: string | null;
  appVersion?: string | null;
  available?: boolean;
  /** Out of service on purpose. */
  draining?: boolean;
  status: EnvironmentStatus;
  lastHeartbeatAt?: string | null;
  lastSeenAt?: string | null;
  reason?: Reason | null;
  apps?: { running: number; total: number };
  /** Bytes of its processes together, and of the machine. */
  memory?: number | null;
  machineMemory?: number | null;
  /** Share of the machine's processors, 0 to 1. */
  cpu?: number | null;
  lagSeconds?: number | null;
  /** Times of the last heartbeats, oldest first. */
  beats?: string[];
  instances?: EnvironmentInstance[];
}

export interface Finding {
  code: string;
  message: string;
  remedy?: string | null;
  field?: string | null;
}

export interface CheckResult {
  ok: boolean;
  findings: Finding[];
}

export const APP_TONES: Record<AppStatus, Tone> = {
  running: 'good',
  initialized: 'ready',
  preparing: 'busy',
  initializing: 'busy',
  commanding: 'busy',
  stopped: 'idle',
  error: 'bad',
  not_found: 'warn',
  unknown: 'lost',
};

export const ENVIRONMENT_TONES: Record<EnvironmentStatus, Tone> = {
  online: 'good',
  late: 'lost',
  offline: 'idle',
  mismatch: 'warn',
  draining: 'idle',
};

const TRANSITIONAL: ReadonlySet<AppStatus> = new Set(['preparing', 'initializing', 'commanding']);

export function isTransitional(app: AppRow): boolean {
  return TRANSITIONAL.has(app.status) || Object.values(app.statuses ?? {}).some((status) => TRANSITIONAL.has(status));
}

/** What a person can do with an app in this state. */
export function actionsFor(status: AppStatus): { open: boolean; start: boolean; stop: boolean; restart: boolean } {
  return {
    open: status === 'running' || status === 'initialized' || status === 'preparing' || status === 'initializing',
    start: status === 'initialized' || status === 'stopped' || status === 'error' || status === 'not_found',
    stop: status === 'running',
    restart: status === 'running' || status === 'error',
  };
}

export function titleOf(app: ShownApp): string {
  return app.displayName || app.name;
}

/** Where people open the app: its own domain when it has one, else below the entry point. */
export function addressOf(app: ShownApp): string {
  return app.cname ? `${window.location.protocol}//${app.cname}/` : `/apps/${app.name}/admin`;
}

/** How many environments are in which status, most frequent first: "2 running, 1 error". */
export function statusCounts(app: AppRow): [AppStatus, number][] {
  const counts = new Map<AppStatus, number>();
  for (const status of Object.values(app.statuses ?? {})) counts.set(status, (counts.get(status) ?? 0) + 1);
  return [...counts].sort((left, right) => right[1] - left[1]);
}

/** Pinned apps first, then by the given order, then by title. */
export function byPlace(left: ShownApp, right: ShownApp): number {
  return (
    Number(right.pinned ?? false) - Number(left.pinned ?? false) ||
    (left.sort ?? 0) - (right.sort ?? 0) ||
    titleOf(left).localeCompare(titleOf(right))
  );
}

/** The versions that run the app; several while environments are being upgraded. */
export function versionsOf(app: AppRow): string {
  const versions = new Set((app.instances ?? []).map((instance) => instance.version).filter(Boolean));
  return [...versions].join(', ');
}
