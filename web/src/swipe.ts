/** A swipe of a finger to the left or right: what the buttons at both sides do, too. */

import { useMemo, useRef } from 'preact/hooks';

/** In pixels of CSS. */
const least = 50;

/** `go` gets 1 for the next, -1 for the one before. */
export function useSwipe(go: (step: number) => void) {
  const start = useRef<{ readonly x: number; readonly y: number } | undefined>(undefined);
  const latest = useRef(go);
  latest.current = go;
  return useMemo(
    () => ({
      onTouchStart: ({ touches }: TouchEvent) => {
        const [touch] = touches;
        // Two fingers zoom.
        start.current = touch && touches.length === 1 ? { x: touch.clientX, y: touch.clientY } : undefined;
      },
      onTouchEnd: ({ changedTouches, touches }: TouchEvent) => {
        const [touch] = changedTouches;
        if (touch === undefined || start.current === undefined || touches.length > 0) return;
        const x = touch.clientX - start.current.x;
        const y = touch.clientY - start.current.y;
        start.current = undefined;
        if (Math.abs(x) > least && Math.abs(x) > 2 * Math.abs(y)) latest.current(x < 0 ? 1 : -1);
      },
    }),
    [],
  );
}
