import classes from './Sparkline.module.css';

const HEIGHT = 24;
const EDGE = 1.5;
const DASH = 0.35;

interface Props {
  /** Oldest first; null where nothing is known: the line has a gap there. */
  values: (number | null)[];
  /** What the line says, for people who do not see it. */
  label: string;
  tone?: 'plain' | 'bad';
  width?: number | string;
}

/** A small line from zero to the largest value, without axes. */
export function Sparkline({ values, label, tone = 'plain', width = '100%' }: Props) {
  const last = Math.max(values.length - 1, 1);
  const top = Math.max(...values.map((value) => value ?? 0), Number.MIN_VALUE);
  const y = (value: number) => HEIGHT - EDGE - (value / top) * (HEIGHT - 2 * EDGE);
  const lines = runs(values).map(({ start, run }) => ({
    start,
    end: start + run.length - 1,
    // A single value is a dash, or nobody would see it.
    points: (run.length > 1 ? run.map((value, index) => [start + index, value]) : [-DASH, DASH].map((by) => [start + by, run[0]]))
      .map(([x = 0, value = 0]) => `${x},${y(value).toFixed(2)}`)
      .join(' '),
  }));
  return (
    <svg
      className={classes.spark}
      data-tone={tone}
      role="img"
      aria-label={label}
      viewBox={`0 0 ${last} ${HEIGHT}`}
      preserveAspectRatio="none"
      width={width}
      height={HEIGHT}
    >
      {lines.map(({ start, end, points }) => (
        <g key={start}>
          <polygon className={classes.area} points={`${start},${HEIGHT} ${points} ${end},${HEIGHT}`} />
          <polyline className={classes.line} points={points} />
        </g>
      ))}
    </svg>
  );
}

/** The stretches of known values. */
function runs(values: (number | null)[]): { start: number; run: number[] }[] {
  const found: { start: number; run: number[] }[] = [];
  values.forEach((value, index) => {
    if (value === null) return;
    const current = found.at(-1);
    if (current && current.start + current.run.length === index) current.run.push(value);
    else found.push({ start: index, run: [value] });
  });
  return found;
}
