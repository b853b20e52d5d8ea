/** Where the person is in the results: kept in the browser's history, and found again after back and reload. */

import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import type { Results } from './results.ts';
import type { Route } from './route.ts';

export function usePlace(route: Route, results: Results, hasResults: boolean): void {
  const { entry, keep } = route;
  const restored = useRef<unknown>(undefined);
  const loaded = results.images.length;
  const isThere = !hasResults || (results.status !== 'searching' && results.key !== '' && loaded > 0);

  // After the grid has its height; before anyone sees it at the top.
  useLayoutEffect(() => {
    if (!isThere || restored.current === entry) return;
    restored.current = entry;
    requestAnimationFrame(() => scrollTo({ top: entry.scroll, behavior: 'instant' }));
  }, [entry, isThere]);

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const save = () => {
      clearTimeout(timer);
      timer = undefined;
      if (restored.current === entry) keep({ scroll: Math.round(scrollY), loaded });
    };
    // Browsers limit how often the history may change.
    const onScroll = () => {
      timer ??= setTimeout(save, 250);
    };
    addEventListener('scroll', onScroll, { passive: true });
    addEventListener('pagehide', save);
    return () => {
      clearTimeout(timer);
      removeEventListener('scroll', onScroll);
      removeEventListener('pagehide', save);
    };
  }, [entry, loaded, keep]);
}
