import { useRouter } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';

import { letterKeysOff } from '../../app/letterKeys';
import { isTyping } from '../../ui/DataGrid/useShortcuts';
import type { Place } from './navigation';

const SECOND_KEY_MS = 1_200;

interface Keys {
  places: Place[];
  onToggleSidebar: () => void;
  onHelp: () => void;
}

/**
 * Keys of the shell: `[`, `?`, and `g` followed by a letter to go to a place.
 * Off while typing and while a dialog is open; a screen that handled the key comes first.
 */
export function useShellKeys(keys: Keys): void {
  const router = useRouter();
  const latest = useRef(keys);
  useEffect(() => {
    latest.current = keys;
  });
  useEffect(() => {
    let armedUntil = 0;
    const onKey = (event: KeyboardEvent) => {
      const modified = event.ctrlKey || event.metaKey || event.altKey;
      if (event.defaultPrevented || modified || isTyping(event.target) || letterKeysOff()) return;
      if (document.querySelector('[role="dialog"]')) return;
      const { places, onToggleSidebar, onHelp } = latest.current;
      const armed = Date.now() < armedUntil;
      armedUntil = event.key === 'g' && !armed ? Date.now() + SECOND_KEY_MS : 0;
      const place = armed ? places.find(({ shortcut }) => shortcut === event.key) : undefined;
      if (place) void router.navigate({ to: place.to });
      else if (event.key === '[') onToggleSidebar();
      else if (event.key === '?') onHelp();
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [router]);
}
