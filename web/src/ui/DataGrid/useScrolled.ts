import { useEffect, type RefObject } from 'react';

/** Marks the element while content is hidden before or after it, so that pinned columns cast a shadow only then. */
export function useScrolled(ref: RefObject<HTMLElement | null>, contentWidth: number): void {
  useEffect(() => {
    const element = ref.current;
    if (!element) return;
    const mark = () => {
      const left = Math.abs(element.scrollLeft);
      element.toggleAttribute('data-before', left > 0);
      element.toggleAttribute('data-after', left + element.clientWidth < element.scrollWidth - 1);
    };
    mark();
    const observer = new ResizeObserver(mark);
    observer.observe(element);
    element.addEventListener('scroll', mark, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener('scroll', mark);
    };
  }, [ref, contentWidth]);
}
