/** Lets the page appear part by part, each in a task of its own: what is below the screen must not hold up what is on it. */

import { useEffect, useState } from 'preact/hooks';

/** How many of the parts are there by now: one more after each frame. */
export function useParts(all: number): number {
  const [parts, setParts] = useState(isAtTop() ? 1 : all);
  useEffect(() => {
    if (parts === all) return;
    const timer = setTimeout(() => setParts(parts + 1));
    return () => clearTimeout(timer);
  }, [parts, all]);
  return parts;
}

/** Whether the browser shows the top of the page first. After a reload it goes to where it was, if that is there. */
function isAtTop(): boolean {
  const [navigation] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[];
  return location.hash === '' && (navigation?.type ?? 'navigate') === 'navigate';
}
