import dayjs from 'dayjs';
import { isEmptyValue } from '../types';

/** What the date inputs speak: local wall clock. */
export const LOCAL = 'YYYY-MM-DD HH:mm:ss';

/** Wire instant to wall clock here; null for nothing or nonsense. */
export function toLocal(value: unknown): string | null {
  if (isEmptyValue(value)) return null;
  const moment = dayjs(value as string | number);
  return moment.isValid() ? moment.format(LOCAL) : null;
}

/** Wall clock here to wire instant (UTC). */
export function toInstant(local: string | null): string | null {
  if (!local) return null;
  const moment = dayjs(local);
  return moment.isValid() ? moment.toISOString() : null;
}

export function formatInstant(value: unknown, _field: unknown, language: string): string {
  if (isEmptyValue(value)) return '';
  const date = new Date(value as string | number);
  if (Number.isNaN(date.getTime())) return String(value);
  return new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' }).format(date);
}

/** A calendar day has no time zone: it is formatted from its parts. */
export function formatDay(value: unknown, _field: unknown, language: string): string {
  if (isEmptyValue(value)) return '';
  const match = /^(\d{4})-(\d{2})-(\d{2})/.exec(String(value));
  if (!match) return String(value);
  const date = new Date(Number(match[1]), Number(match[2]) - 1, Number(match[3]));
  return new Intl.DateTimeFormat(language, { dateStyle: 'medium' }).format(date);
}
