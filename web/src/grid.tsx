/** The results as rows of pictures. Only those near the screen exist; the browser scrolls them. */

import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { FoundImage } from '../../src/api/index.ts';
import { actByKey, useActions } from './actions.ts';
import { useApp } from './app.ts';
import { proportionsOf } from './display.ts';
import { justify, neighbour, rowOf } from './layout.ts';
import { useMenu } from './menu.tsx';
import { startFrom } from './query.ts';
import { type TileActs, TileRow } from './tile.tsx';
import { useWindowRows } from './window-rows.ts';

const captionHeight = 24;

export function Grid({
  images,
  showScore,
  isBusy,
  onNearEnd,
}: {
  readonly images: readonly FoundImage[];
  readonly showScore: boolean;
  readonly isBusy: boolean;
  readonly onNearEnd: () => void;
}) {
  const { index, route, change } = useApp();
  const actionsOf = useActions();
  const menu = useMenu();
  const grid = useRef<HTMLDivElement>(null);
  const [{ width, margin }, setPlace] = useState({ width: 0, margin: 0 });
  const [current, setCurrent] = useState(0);
  const isInside = useRef(false);

  useLayoutEffect(() => {
    const measure = () => {
      const { left, right, top } = grid.current!.getBoundingClientRect();
      const next = { width: Math.floor(right - left), margin: Math.round(top + scrollY) };
      setPlace((old) => (old.width === next.width && old.margin === next.margin ? old : next));
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(document.body);
    observer.observe(grid.current!);
    return () => observer.disconnect();
  }, []);

  const gap = width < 600 ? 6 : 10;
  const rows = useMemo(() => {
    const height = width < 600 ? 118 : width < 1100 ? 168 : 196;
    return width === 0 ? [] : justify(images.map(proportionsOf), { width, height, gap });
  }, [images, width, gap]);
  const sizes = useMemo(() => rows.map(({ height }) => height + captionHeight + gap), [rows, gap]);
  const at = Math.min(current, Math.max(0, images.length - 1));
  const virtualizer = useWindowRows({ sizes, margin, keep: isInside.current ? rowOf(rows, at) : -1 });
  const shown = virtualizer.getVirtualItems().filter(({ index: row }) => row < rows.length);

  const last = shown.at(-1)?.index ?? -1;
  useEffect(() => {
    if (last >= sizes.length - 12) onNearEnd();
  }, [last, sizes.length, onNearEnd]);

  const focusOn = useCallback(
    (to: number) => {
      isInside.current = true;
      setCurrent(to);
      virtualizer.scrollToIndex(rowOf(rows, to), { align: 'auto' });
      requestAnimationFrame(() => {
        const picture = grid.current?.querySelector<HTMLElement>(`[data-at="${to}"] .picture`);
        picture?.focus({ preventScroll: true });
        picture?.scrollIntoView({ block: 'nearest' });
      });
    },
    [rows, virtualizer],
  );

  const latest = useRef<TileActs>(undefined);
  latest.current = {
    open: ({ id }) => route.show(id),
    use: ({ id }) => change((query) => startFrom(query, { id })),
    menu: (image, button) => menu.open(button, 'Actions', actionsOf(image)),
  };
  const acts = useMemo<TileActs>(
    () => ({
      open: (image) => latest.current!.open(image),
      use: (image) => latest.current!.use(image),
      menu: (image, button) => latest.current!.menu(image, button),
    }),
    [],
  );

  const onKeyDown = (event: KeyboardEvent) => {
    const image = images[at];
    if (image === undefined) return;
    if (event.key.startsWith('Arrow') && !event.ctrlKey && !event.metaKey && !event.altKey) {
      const to = neighbour(rows, at, event.key);
      if (to === undefined) return;
      event.preventDefault();
      focusOn(to);
    } else if (event.key === 'ContextMenu' || (event.shiftKey && event.key === 'F10')) {
      const button = grid.current?.querySelector<HTMLElement>(`[data-at="${at}"] [aria-haspopup=menu]`);
      if (button) menu.open(button, 'Actions', actionsOf(image));
      event.preventDefault();
    } else if (actByKey(actionsOf(image), event)) event.preventDefault();
  };

  return (
    <>
      <div
        class={`grid${isBusy ? ' busy' : ''}`}
        role="grid"
        aria-label="Results"
        aria-rowcount={rows.length}
        aria-busy={isBusy}
        ref={grid}
        onKeyDown={onKeyDown}
        onFocusIn={(event) => {
          isInside.current = true;
          const tile = (event.target as HTMLElement).closest<HTMLElement>('[data-at]');
          if (tile) setCurrent(Number(tile.dataset.at));
        }}
        onFocusOut={(event) => {
          isInside.current = grid.current?.contains(event.relatedTarget as Node | null) ?? false;
        }}
        style={{ height: `${virtualizer.getTotalSize()}px` }}
      >
        {shown.map(({ index: row, start }) => (
          <TileRow
            key={row}
            index={index.name}
            row={rows[row]!}
            at={row}
            top={start - margin}
            images={images}
            current={rows[row]!.cells.some((cell) => cell.at === at) ? at : -1}
            showScore={showScore}
            acts={acts}
          />
        ))}
      </div>
      {menu.element}
    </>
  );
}
