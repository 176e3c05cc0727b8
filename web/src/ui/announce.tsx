import { VisuallyHidden } from '@mantine/core';
import { useSyncExternalStore } from 'react';

import { Watched } from '../app/events';

interface Said {
  text: string;
  /** How often something was said: the same words twice must be two changes of the page. */
  times: number;
}

const polite = new Watched<Said>({ text: '', times: 0 });
const assertive = new Watched<Said>({ text: '', times: 0 });

function say(region: Watched<Said>, text: string): void {
  region.set({ text, times: region.get().times + 1 });
}

/** Tells assistive technology what happened, when it has finished what it is saying: "12 results", "Saved". */
export function announce(text: string): void {
  say(polite, text);
}

/** Tells assistive technology at once what went wrong. */
export function announceError(text: string): void {
  say(assertive, text);
}

/** The two places of the page that are read out when they change; shown once, around everything. */
export function Announcements() {
  return (
    <>
      <Region said={useSyncExternalStore(polite.subscribe, polite.get)} live="polite" />
      <Region said={useSyncExternalStore(assertive.subscribe, assertive.get)} live="assertive" />
    </>
  );
}

function Region({ said, live }: { said: Said; live: 'polite' | 'assertive' }) {
  return (
    <VisuallyHidden aria-live={live} aria-atomic="true">
      {said.text}
      {said.times % 2 === 1 && '\u00a0'}
    </VisuallyHidden>
  );
}
