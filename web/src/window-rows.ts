/** Which rows of a long list are on the screen, scrolled by the browser itself: @tanstack/virtual-core for Preact. */

import { observeWindowOffset, observeWindowRect, Virtualizer, windowScroll } from '@tanstack/virtual-core';
import { useLayoutEffect, useReducer, useState } from 'preact/hooks';

interface WindowRows {
  /** The height of each row, with what is between it and the next. */
  readonly sizes: readonly number[];
  /** How far from the top of the page the first row is. */
  readonly margin: number;
  /** A row that stays, wherever the person scrolls: the one with the focus. */
  readonly keep: number;
}

export function useWindowRows({ sizes, margin, keep }: WindowRows) {
  const [, render] = useReducer((count: number, _: undefined) => count + 1, 0);
  const options = {
    count: sizes.length,
    getScrollElement: () => window,
    estimateSize: (row: number) => sizes[row] ?? 0,
    scrollMargin: margin,
    overscan: 2,
    observeElementRect: observeWindowRect,
    observeElementOffset: observeWindowOffset,
    scrollToFn: windowScroll,
    initialOffset: () => window.scrollY,
    rangeExtractor: ({ startIndex, endIndex, overscan, count }) => {
      const first = Math.max(0, startIndex - overscan);
      const last = Math.min(count - 1, endIndex + overscan);
      const rows = Array.from({ length: last - first + 1 }, (_, at) => first + at);
      if (keep >= 0 && keep < count && (keep < first || keep > last)) rows.push(keep);
      return rows.sort((a, b) => a - b);
    },
    onChange: () => render(undefined),
  } satisfies ConstructorParameters<typeof Virtualizer<Window, Element>>[0];
  const [virtualizer] = useState(() => new Virtualizer<Window, Element>(options));
  virtualizer.setOptions(options);
  useLayoutEffect(() => virtualizer._didMount(), [virtualizer]);
  useLayoutEffect(() => virtualizer._willUpdate());
  useLayoutEffect(() => virtualizer.measure(), [virtualizer, sizes, margin]);
  return virtualizer;
}
