/** A closer look at an image: its frame scrolls, so that keys, wheels and fingers move it as they move any page. */

import { useCallback, useLayoutEffect, useRef, useState } from 'preact/hooks';

const most = 8;
const step = 1.5;

export function useZoom(id: string) {
  const [{ level, of }, setZoom] = useState({ level: 1, of: id });
  const frame = useRef<HTMLDivElement>(null);
  const current = of === id ? level : 1;

  const to = useCallback(
    (change: (level: number) => number) =>
      setZoom((old) => ({
        level: Math.min(most, Math.max(1, change(old.of === id ? old.level : 1))),
        of: id,
      })),
    [id],
  );

  useLayoutEffect(() => {
    const element = frame.current;
    if (element === null) return;
    // The middle stays in the middle.
    const x = (element.scrollLeft + element.clientWidth / 2) / Math.max(1, element.scrollWidth);
    const y = (element.scrollTop + element.clientHeight / 2) / Math.max(1, element.scrollHeight);
    element.style.setProperty('--zoom', `${current}`);
    element.scrollLeft = x * element.scrollWidth - element.clientWidth / 2;
    element.scrollTop = y * element.scrollHeight - element.clientHeight / 2;
  });

  return {
    level: current,
    most,
    frame,
    in: () => to((old) => old * step),
    out: () => to((old) => (old / step < 1.05 ? 1 : old / step)),
    fit: () => to(() => 1),
    toggle: () => to((old) => (old > 1 ? 1 : step * step)),
    onWheel: (event: WheelEvent) => {
      if (!event.ctrlKey) return; // a pinch on a touchpad comes so, too
      event.preventDefault();
      to((old) => old * Math.exp(-event.deltaY / 200));
    },
  };
}
