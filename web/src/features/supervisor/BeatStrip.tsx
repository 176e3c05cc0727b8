import { useTranslation } from 'react-i18next';

import classes from './BeatStrip.module.css';

const SHOWN = 20;

type BeatState = 'good' | 'late' | 'missed';

/** Reads one beat as the server sends it: a state word, or an object that has one. */
export function beatState(beat: unknown): BeatState {
  const value = typeof beat === 'object' && beat !== null ? (beat as Record<string, unknown>).state ?? 'good' : beat;
  return value === 'late' || value === 'missed' ? value : 'good';
}

/** The last heartbeats, oldest first; height and colour say how punctual each was. */
export function BeatStrip({ beats }: { beats: unknown[] }) {
  const { t } = useTranslation('supervisor');
  const states = beats.slice(-SHOWN).map(beatState);
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
