import dayjs from 'dayjs';
import { zone } from '../../app/zone';
import { InvalidInput, isEmptyValue } from '../types';

/** What the date inputs speak: wall clock of the person's time zone. */
export const LOCAL = 'YYYY-MM-DD HH:mm:ss';

/** Wire instant to wall clock here; null for nothing or nonsense. */
export function toLocal(value: unknown): string | null {
  if (isEmptyValue(value)) return null;
  const moment = dayjs(value as string | number);
  return moment.isValid() ? moment.tz(zone.get()).format(LOCAL) : null;
}

/** Wall clock here to wire instant (UTC). */
export function toInstant(local: string | null): string | null {
  if (!local) return null;
  if (!dayjs(local).isValid()) return null;
  return dayjs.tz(local, zone.get()).toISOString();
}

const DAY = /^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})/;
const TIME = /^[T\s]\s*(\d{1,2}):(\d{2})(?::(\d{2}))?(?:\.\d+)?$/;
const two = (part: string | undefined) => (part ?? '0').padStart(2, '0');

/** The day a text starts with, and what follows; null when there is none in the calendar. */
function dayIn(text: string): { day: string; rest: string } | null {
  const match = DAY.exec(text);
  if (!match) return null;
  const day = `${match[1]}-${two(match[2])}-${two(match[3])}`;
  return dayjs(day).format('YYYY-MM-DD') === day ? { day, rest: text.slice(match[0].length) } : null;
}

/** Typed text as a day; a time behind it is left out. */
export function parseDay(input: string): unknown {
  const text = input.trim();
  if (text === '') return null;
  const found = dayIn(text);
  return found && (found.rest === '' || TIME.test(found.rest)) ? found.day : new InvalidInput(input);
}

/** Typed wall clock here as wire instant; a text with a zone of its own is taken as it is. */
export function parseInstant(input: string): unknown {
  const text = input.trim();
  if (text === '') return null;
  const found = dayIn(text);
  if (found && /^T.*(Z|[+-]\d{2}:?\d{2})$/.test(found.rest) && dayjs(text).isValid()) return dayjs(text).toISOString();
  const time = found && TIME.exec(found.rest === '' ? ' 00:00' : found.rest);
  if (!found || !time || Number(time[1]) > 23 || Number(time[2]) > 59 || Number(time[3] ?? 0) > 59) return new InvalidInput(input);
  return toInstant(`${found.day} ${two(time[1])}:${time[2]}:${two(time[3])}`);
}

export function formatInstant(value: unknown, _field: unknown, language: string): string {
  if (isEmptyValue(value)) return '';
  const date = new Date(value as string | number);
  if (Number.isNaN(date.getTime())) return String(value);
  return new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short', timeZone: zone.get() }).format(date);
}

/** A calendar day has no time zone: it is formatted from its parts. */
export function formatDay(value: unknown, _field: unknown, language: string): string {
  if (isEmptyValue(value)) return '';
  const match = /^(\d{4})-(\d{2})-(\d{2})/.exec(String(value));
  if (!match) return String(value);
  const date = new Date(Number(match[1]), Number(match[2]) - 1, Number(match[3]));
  return new Intl.DateTimeFormat(language, { dateStyle: 'medium' }).format(date);
}
