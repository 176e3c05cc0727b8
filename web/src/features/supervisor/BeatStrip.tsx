import { useTranslation } from 'react-i18next';

import classes from './BeatStrip.module.css';

const SHOWN = 20;

type BeatState = 'good' | 'late' | 'missed';

/** How punctual each beat was, by the time since the one before compared with the usual time between two. */
export function beatStates(beats: string[]): BeatState[] {
  const times = beats.map((beat) => Date.parse(beat));
  const gaps = times.slice(1).map((time, index) => time - (times[index] ?? time));
  const usual = [...gaps].sort((left, right) => left - right)[Math.floor(gaps.length / 2)] ?? 0;
  const stateOf = (gap: number): BeatState => (gap > usual * 3 ? 'missed' : gap > usual * 1.5 ? 'late' : 'good');
  return [...(times.length > 0 ? (['good'] as const) : []), ...gaps.map(stateOf)];
}

/** The last heartbeats, oldest first; height and colour say how punctual each was. */
export function BeatStrip({ beats }: { beats: string[] }) {
  const { t } = useTranslation('supervisor');
  const states = beatStates(beats.slice(-SHOWN));
  const good = states.filter((state) => state === 'good').length;
  return (
    <span className={classes.strip} role="img" aria-label={t('environments.beats', { good, total: states.length })}>
      {states.map((state, index) => (
        // The position in the strip is the only identity a beat has.
        <span key={index} className={classes.beat} data-state={state} />
      ))}
    </span>
  );
}
