import { useRouter } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';

import type { Place } from './navigation';

const SECOND_KEY_MS = 1_200;

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName);
}

/** `g` and then a letter goes to a place; off while typing and while a dialog is open. */
export function useGoKeys(places: Place[]): void {
  const router = useRouter();
  const latest = useRef(places);
  useEffect(() => {
    latest.current = places;
  });
  useEffect(() => {
    let armedUntil = 0;
    const onKey = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      if (document.querySelector('[role="dialog"]')) return;
      if (event.key === 'g') {
        armedUntil = Date.now() + SECOND_KEY_MS;
        return;
      }
      if (Date.now() > armedUntil) return;
      armedUntil = 0;
      const place = latest.current.find(({ shortcut }) => shortcut === event.key);
      if (!place) return;
      event.preventDefault();
      void router.navigate({ to: place.to });
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [router]);
}
