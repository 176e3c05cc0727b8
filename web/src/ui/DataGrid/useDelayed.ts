import { useEffect, useState } from 'react';

/** `value`, but true only after it has been true for a while: quick answers show no skeleton. */
export function useDelayed(value: boolean, delayMs: number): boolean {
  const [late, setLate] = useState(false);
  useEffect(() => {
    if (!value) return setLate(false);
    const timer = window.setTimeout(() => setLate(true), delayMs);
    return () => window.clearTimeout(timer);
  }, [value, delayMs]);
  return value && late;
}
