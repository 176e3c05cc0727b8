import { useTranslation } from 'react-i18next';

import { usePreference } from './preferences';

/** 0 is Sunday. */
export type Day = 0 | 1 | 2 | 3 | 4 | 5 | 6;

/** Days that weeks begin with somewhere. */
export const FIRST_DAYS: readonly Day[] = [1, 0, 6];

const ISO_MONDAY: Day = 1;

interface WeekLocale extends Intl.Locale {
  getWeekInfo?: () => { firstDay: number };
}

/** The day that weeks begin with where the language is spoken; Monday where the browser does not know. */
export function usualFirstDay(language: string): Day {
  const info = (new Intl.Locale(language) as WeekLocale).getWeekInfo?.();
  return info ? ((info.firstDay % 7) as Day) : ISO_MONDAY;
}

export function firstDayFrom(choice: unknown, language: string): Day {
  return FIRST_DAYS.find((day) => day === choice) ?? usualFirstDay(language);
}

/** With which day weeks begin for this person. */
export function useFirstDay(): Day {
  const { i18n } = useTranslation();
  return firstDayFrom(usePreference('firstDay')[0], i18n.language);
}

/** "Monday", in the language. */
export function dayName(day: Day, language: string): string {
  // 2023 began with a Sunday.
  return new Intl.DateTimeFormat(language, { weekday: 'long', timeZone: 'UTC' }).format(Date.UTC(2023, 0, 1 + day));
}
