import { bytes, duration } from '../format';

export const METRIC_RANGES = ['15m', '1h', '24h'] as const;
export type MetricRange = (typeof METRIC_RANGES)[number];
export const DEFAULT_METRIC_RANGE: MetricRange = '1h';
export const METRICS = ['requests', 'errors', 'p95', 'memory'] as const;
export type Metric = (typeof METRICS)[number];
export type Series = (number | null)[];

export interface MetricsAnswer {
  /** How long a point is. */
  seconds: number;
  /** How much of the last one is counted. */
  lastSeconds: number;
  /** Of the first point. */
  begins: string;
  /** Oldest first, all of one length; null where nothing is known. */
  series: Record<Metric, Series>;
}

const MS = 1000;
const MINUTE_S = 60;

/** When a point begins. */
export function timeOf({ begins, seconds }: MetricsAnswer, at: number): Date {
  return new Date(new Date(begins).getTime() + at * seconds * MS);
}

/** Requests and errors per minute, so that points of another length can be compared. */
export function shown(answer: MetricsAnswer): Record<Metric, Series> {
  const lengthOf = (at: number, values: Series) => (at === values.length - 1 ? answer.lastSeconds : answer.seconds);
  const perMinute = (values: Series) =>
    values.map((value, at) => (value === null ? null : (value * MINUTE_S) / lengthOf(at, values)));
  const { requests, errors, ...rest } = answer.series;
  return { ...rest, requests: perMinute(requests), errors: perMinute(errors) };
}

export function isEmpty({ series }: MetricsAnswer): boolean {
  return Object.values(series).every((values) => values.every((value) => value === null));
}

const ROUND = [1, 2, 2.5, 5, 10];

/** The top of a scale: a round number not below any value. */
export function topOf(values: Series): number {
  const most = Math.max(...values.map((value) => value ?? 0));
  if (most <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(most));
  const step = ROUND.find((factor) => factor * power >= most) ?? 10;
  return step * power;
}

export function valueText(metric: Metric, value: number | null | undefined, language: string): string {
  if (value === null || value === undefined) return '–';
  if (metric === 'memory') return bytes(value, language);
  if (metric === 'p95') return value < 1 ? `${new Intl.NumberFormat(language, { maximumFractionDigits: 2 }).format(value)} ms` : duration(value, language);
  return new Intl.NumberFormat(language, { maximumFractionDigits: value < 10 ? 1 : 0 }).format(value);
}

/** Stretches of known values, as points of a line; x from 0 to 1, y from 0 (top) to 1. */
export function linesOf(values: Series, top: number): [number, number][][] {
  const lines: [number, number][][] = [];
  const last = Math.max(1, values.length - 1);
  values.forEach((value, at) => {
    if (value === null) return;
    const point: [number, number] = [at / last, 1 - Math.min(1, value / top)];
    if (at > 0 && values[at - 1] !== null) lines.at(-1)?.push(point);
    else lines.push([point]);
  });
  return lines;
}
