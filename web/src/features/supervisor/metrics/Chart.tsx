import { type PointerEvent } from 'react';
import { useTranslation } from 'react-i18next';

import classes from './Chart.module.css';
import { linesOf, type Metric, type MetricsAnswer, type Series, timeOf, topOf, valueText } from './model';

interface Props {
  metric: Metric;
  answer: MetricsAnswer;
  values: Series;
  /** The point that is pointed at, in all charts alike; null for none. */
  at: number | null;
  onPoint: (at: number | null) => void;
}

/** One figure over time, from zero. People who do not see it have the table. */
export function Chart({ metric, answer, values, at, onPoint }: Props) {
  const { t, i18n } = useTranslation('supervisor');
  const top = topOf(values);
  const text = (value: number | null | undefined) => valueText(metric, value, i18n.language);
  const clock = new Intl.DateTimeFormat(i18n.language, { hour: '2-digit', minute: '2-digit' });
  const last = values.length - 1;
  const point = (event: PointerEvent<SVGSVGElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    onPoint(Math.max(0, Math.min(last, Math.round(((event.clientX - box.left) / box.width) * last))));
  };
  const known = values.filter((value) => value !== null);
  const newest = known.at(-1);
  const name = t(`metrics.${metric}`);
  return (
    <figure className={classes.figure} data-bad={(metric === 'errors' && known.some((value) => value > 0)) || undefined}>
      <figcaption className={classes.caption}>
        {name}
        <span className={classes.now}>{at === null ? text(newest) : `${clock.format(timeOf(answer, at))} · ${text(values[at])}`}</span>
      </figcaption>
      <div className={classes.plot}>
        <div className={classes.scale} aria-hidden>
          <span>{text(top)}</span>
          <span>{text(top / 2)}</span>
          <span>{text(0)}</span>
        </div>
        <svg
          className={classes.svg}
          viewBox="0 0 1 1"
          preserveAspectRatio="none"
          role="img"
          aria-label={t('metrics.summary', { name, now: text(newest), most: text(known.length > 0 ? Math.max(...known) : null) })}
          onPointerMove={point}
          onPointerLeave={() => onPoint(null)}
        >
          {[0, 0.5, 1].map((y) => (
            <line key={y} className={classes.rule} x1={0} x2={1} y1={y} y2={y} />
          ))}
          {linesOf(values, top).map((line) => {
            const points = line.length > 1 ? line : line.flatMap(([x, y]) => [[x, y], [x + 1 / Math.max(1, last), y]]);
            const first = points[0]?.[0] ?? 0;
            const drawn = points.map(([x, y]) => `${x},${y}`).join(' ');
            return (
              <g key={first}>
                <polygon className={classes.area} points={`${first},1 ${drawn} ${points.at(-1)?.[0] ?? 0},1`} />
                <polyline className={classes.line} points={drawn} />
              </g>
            );
          })}
          {at !== null && <line className={classes.cross} x1={at / last} x2={at / last} y1={0} y2={1} />}
        </svg>
      </div>
      <div className={classes.times} aria-hidden>
        {[0, 0.5, 1].map((part) => (
          <span key={part}>{clock.format(timeOf(answer, Math.round(part * last)))}</span>
        ))}
      </div>
    </figure>
  );
}
