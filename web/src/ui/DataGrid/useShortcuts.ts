import { useEffect, useRef } from 'react';

import { letterKeysOff } from '../../app/letterKeys';

const FIELDS = 'input, textarea, select, [contenteditable="true"], [role="menu"]';

/** True when a single letter is meant as text, or another layer is on top. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement && target.type === 'checkbox') return false;
  return target.closest(FIELDS) !== null;
}

/** Single keys that work anywhere on the screen while nobody types; `inDialog` also while a dialog is open. */
export function useShortcuts(keys: Record<string, (() => void) | undefined>, { inDialog = false } = {}): void {
  const latest = useRef(keys);
  useEffect(() => {
    latest.current = keys;
  });
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || letterKeysOff()) return;
      if (!inDialog && document.querySelector('[role="dialog"]')) return;
      const action = latest.current[event.key];
      if (!action) return;
      event.preventDefault();
      action();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, [inDialog]);
}
