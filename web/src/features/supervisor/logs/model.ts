export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
export const LOG_KINDS = ['system', 'request'] as const;
export type LogKind = (typeof LOG_KINDS)[number];
/** How far back, in minutes. */
export const LOG_RANGES = { '15m': 15, '1h': 60, '24h': 1_440, '7d': 10_080 } as const;
export type LogRange = keyof typeof LOG_RANGES;
export const DEFAULT_RANGE: LogRange = '24h';

export interface LogLine {
  /** Names the line among all lines of its environment. */
  id: string;
  environment: string;
  time: string;
  level: string;
  app: string;
  kind: LogKind;
  message: string;
  fields: Record<string, unknown>;
}

export interface LogAnswer {
  /** Newest first. */
  lines: LogLine[];
  /** What is older was not looked at; null when nothing is left. */
  reached: string | null;
  /** Why an environment did not answer. */
  problems: Record<string, string>;
}

/** Whose lines: of an app, of an environment, or of an app in one environment. */
export interface LogScope {
  app?: string;
  environment?: string;
}

/** What is looked for; kept in the address. */
export interface LogSearch {
  level?: LogLevel;
  kind?: LogKind;
  text?: string;
  request?: string;
  range?: LogRange;
  /** One of the app's environments. */
  in?: string;
}

const LONGEST = 200;

function oneOf<T extends string>(value: unknown, known: readonly T[]): T | undefined {
  return known.find((each) => each === value);
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' ? String(value).slice(0, LONGEST) || undefined : undefined;
}

export function parseLogSearch(raw: Record<string, unknown>): LogSearch {
  const search: LogSearch = {
    level: oneOf(raw.level, LOG_LEVELS),
    kind: oneOf(raw.kind, LOG_KINDS),
    text: text(raw.text),
    request: text(raw.request),
    range: oneOf(raw.range, Object.keys(LOG_RANGES) as LogRange[]),
    in: text(raw.in),
  };
  return Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined));
}

export function keyOf(line: LogLine): string {
  return `${line.environment} ${line.id}`;
}

/** Both together, oldest first, each line once; at most `most`, of which the oldest are given up. */
export function merged(known: LogLine[], more: LogLine[], most = Number.POSITIVE_INFINITY): LogLine[] {
  const all = new Map(known.map((line) => [keyOf(line), line]));
  const fresh = more.filter((line) => !all.has(keyOf(line)));
  if (fresh.length === 0) return known;
  for (const line of fresh) all.set(keyOf(line), line);
  const sorted = [...all.values()].sort((left, right) => (left.time < right.time ? -1 : left.time > right.time ? 1 : 0));
  return sorted.length > most ? sorted.slice(-most) : sorted;
}

export interface Shown {
  /** Oldest first. */
  lines: LogLine[];
  /** Older lines than this were not looked at. */
  reached: string | null;
  problems: Record<string, string>;
}

/** What is shown once newer lines came. Lines between are never skipped in silence: they can be looked for again. */
export function withNewer(known: Shown, { lines, reached, problems }: LogAnswer, most: number): Shown {
  const newest = known.lines.at(-1)?.time ?? '';
  if (reached !== null && reached > newest) return { lines: merged([], lines), reached, problems };
  const all = merged(known.lines, lines, most);
  const cut = all.length === most && all[0] !== known.lines[0];
  return { lines: all, problems, reached: cut ? (all[0]?.time ?? null) : known.reached };
}

/** What a line says to a person: a request as a whole, else its message. */
export function sentenceOf({ kind, message, fields }: LogLine): string {
  const { method, path, status, cost } = fields;
  if (kind !== 'request' || typeof method !== 'string') return message;
  return [method, path, status === 0 ? '–' : status, typeof cost === 'number' ? `${cost} ms` : ''].filter(Boolean).join(' ');
}

export function severityOf(line: LogLine): 'bad' | 'warn' | 'plain' | 'faint' {
  if (line.level === 'error' || line.level === 'critical') return 'bad';
  if (line.level.startsWith('warn')) return 'warn';
  return line.level === 'debug' ? 'faint' : 'plain';
}

/** For a file: one JSON object a line, as the server has it. */
export function asFile(lines: LogLine[]): string {
  return lines
    .map(({ environment, time, level, app, kind, message, fields }) =>
      JSON.stringify({ time, level, message, app, kind, ...fields, environment }),
    )
    .map((line) => `${line}\n`)
    .join('');
}
