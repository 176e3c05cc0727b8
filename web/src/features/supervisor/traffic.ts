import type { TFunction } from 'i18next';

import { bytes, duration } from './format';

/** What was counted in the last minutes; null where there was no request or nothing is known. */
export interface TrafficFigures {
  requests: number;
  /** Answers with a status of 500 or more. */
  errors: number;
  /** Share of all answers. */
  errorRate: number | null;
  perMinute: number;
  /** Milliseconds until 95 % of all answers began. */
  p95: number | null;
  /** Bytes of the processes that host the app, together with other apps. */
  memory: number | null;
  /** The same in parts of equal length, oldest first. */
  series: {
    requests: number[];
    errors: number[];
    p95: (number | null)[];
    memory: (number | null)[];
  };
}

export interface Traffic extends TrafficFigures {
  /** How long a time it is. */
  seconds: number;
  /** Null when nobody visited the app for as long as the server remembers. */
  lastRequestAt: string | null;
  environments: Record<string, TrafficFigures>;
}

const NONE = '–';

/** The figures as people read them. */
export function trafficTexts(traffic: TrafficFigures, language: string) {
  const number = new Intl.NumberFormat(language, { maximumFractionDigits: traffic.perMinute < 10 ? 1 : 0 });
  const share = new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: 1 });
  return {
    requests: new Intl.NumberFormat(language).format(traffic.requests),
    perMinute: number.format(traffic.perMinute),
    p95: traffic.p95 === null ? NONE : `${traffic.p95 < 1 ? '< ' : ''}${duration(Math.max(traffic.p95, 1), language)}`,
    errorRate: traffic.errorRate === null ? NONE : share.format(traffic.errorRate),
    memory: traffic.memory === null ? NONE : bytes(traffic.memory, language),
  };
}

/** Who would be interrupted: "12 requests in the last 5 minutes." */
export function usageSentence(apps: { traffic?: Traffic }[], t: TFunction<'supervisor'>, language: string): string {
  const counted = apps.flatMap(({ traffic }) => traffic ?? []);
  if (counted.length === 0) return '';
  const count = counted.reduce((sum, { requests }) => sum + requests, 0);
  const minutes = Math.round((counted[0]?.seconds ?? 0) / 60);
  return t('stop.usage', { count, requests: new Intl.NumberFormat(language).format(count), minutes });
}

/** One sentence for what the cell in the list shows. */
export function trafficSentence(traffic: Traffic, t: TFunction<'supervisor'>, language: string): string {
  if (traffic.requests === 0) return t('traffic.none');
  const { requests, p95 } = trafficTexts(traffic, language);
  return t('traffic.sentence', { requests, p95, errors: traffic.errors });
}
