import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { dateTime, relativeTime } from './time';

/** A moment as "14 seconds ago", counting; the exact time is its title. */
export function RelativeTime({ value, everyMs = 10_000 }: { value: string; everyMs?: number }) {
  const { i18n } = useTranslation();
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return (
    <time dateTime={value} title={dateTime(value, i18n.language)}>
      {relativeTime(value, i18n.language, Math.max(now, new Date(value).getTime()))}
    </time>
  );
}
