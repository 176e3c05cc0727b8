const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const;
const STEP = 1000;

/** A number of bytes for people: "312 MB". */
export function bytes(value: number, language: string): string {
  let rest = value;
  let unit = 0;
  while (rest >= STEP && unit < UNITS.length - 1) {
    rest /= STEP;
    unit += 1;
  }
  return new Intl.NumberFormat(language, {
    style: 'unit',
    unit: UNITS[unit] ?? 'byte',
    unitDisplay: 'short',
    maximumFractionDigits: rest < 10 ? 1 : 0,
  }).format(rest);
}

/** A share between 0 and 1 as percent. */
export function percent(value: number, language: string): string {
  return new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: 0 }).format(value);
}

const DURATIONS: [Intl.NumberFormatOptions['unit'], number][] = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1_000],
  ['millisecond', 1],
];

/** A length of time in its largest fitting unit: "1.2 sec", "3 min". */
export function duration(milliseconds: number, language: string): string {
  const [unit, size] = DURATIONS.find(([, length]) => milliseconds >= length) ?? ['millisecond', 1];
  const value = milliseconds / size;
  return new Intl.NumberFormat(language, {
    style: 'unit',
    unit,
    unitDisplay: 'short',
    maximumFractionDigits: value < 10 && unit !== 'millisecond' ? 1 : 0,
  }).format(value);
}
