import { useLayoutEffect, useState, type RefObject } from 'react';

const LEAST = 280;
/** Footer and the page's own padding. */
const BELOW = 88;

/** Pixels from the element's top to the end of the window, so that the footer stays in view. */
export function useAvailableHeight(ref: RefObject<HTMLElement | null>, reserve: number): number {
  const [height, setHeight] = useState(LEAST);
  // What stands above (pills, titles) changes with any render; measuring is cheap.
  useLayoutEffect(() => {
    const measure = () => {
      const top = (ref.current?.getBoundingClientRect().top ?? 0) + window.scrollY;
      setHeight(Math.max(LEAST, Math.floor(window.innerHeight - top - BELOW - reserve)));
    };
    measure();
    window.addEventListener('resize', measure);
    return () => window.removeEventListener('resize', measure);
  });
  return height;
}
