import { useCallback, useRef } from 'react';

/**
 * The drawer is closed by its address, so it cannot give the focus back itself.
 * Call the result with true when it opens (or shows another record), with false when it closes.
 */
export function useReturnFocus(): (open: boolean) => void {
  const opener = useRef<HTMLElement | null>(null);
  return useCallback((open: boolean) => {
    if (open) {
      if (!document.querySelector('[role="dialog"]')) opener.current = document.activeElement as HTMLElement | null;
      return;
    }
    const target = opener.current;
    opener.current = null;
    const restore = (frames: number) => {
      if (frames > 0 && document.querySelector('[role="dialog"]')) requestAnimationFrame(() => restore(frames - 1));
      else if (target?.isConnected) target.focus();
      else document.querySelector<HTMLElement>('[role="grid"] [data-row][tabindex="0"]')?.focus();
    };
    requestAnimationFrame(() => restore(60));
  }, []);
}
