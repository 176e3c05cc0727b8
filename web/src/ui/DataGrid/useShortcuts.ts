import { useEffect, useRef } from 'react';

const FIELDS = 'input, textarea, select, [contenteditable="true"], [role="menu"], [role="dialog"]';

/** True when a single letter is meant as text, or another layer is on top. */
export function isTyping(target: EventTarget | null): boolean {
  const element = target instanceof HTMLElement ? target : null;
  if (element instanceof HTMLInputElement && element.type === 'checkbox') return false;
  return element?.closest(FIELDS) !== null && element !== null;
}

/** Single keys that work anywhere on the screen while nobody types and no dialog is open. */
export function useShortcuts(keys: Record<string, (() => void) | undefined>): void {
  const latest = useRef(keys);
  useEffect(() => {
    latest.current = keys;
  });
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      if (document.querySelector('[role="dialog"][aria-modal="true"]')) return;
      const action = latest.current[event.key];
      if (!action) return;
      event.preventDefault();
      action();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);
}
