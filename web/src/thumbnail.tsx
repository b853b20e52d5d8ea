/** A small picture: its place at once, the picture as sharp as the screen, and given up when it is scrolled away. */

import { useEffect, useRef, useState } from 'preact/hooks';
import { api } from './back-end.ts';
import { Icon } from './icons.tsx';

/** Milliseconds before a picture that did not come is asked for once more: the server may have been busy. */
const pause = 2000;

let lastScroll = Number.NEGATIVE_INFINITY;
addEventListener(
  'scroll',
  () => {
    lastScroll = performance.now();
  },
  { passive: true },
);

export function Thumbnail({
  index,
  id,
  name,
  width,
  proportions,
}: {
  readonly index: string;
  readonly id: string;
  readonly name: string;
  /** In pixels of CSS. */
  readonly width: number;
  /** Width by height. */
  readonly proportions: number;
}) {
  const image = useRef<HTMLImageElement>(null);
  const [state, setState] = useState<'loading' | 'there' | 'failed'>('loading');
  useEffect(() => {
    const element = image.current!;
    const wide = (side: number) => Math.round(proportions >= 1 ? side : side * proportions);
    const show = (addresses: readonly string[]) => {
      element.sizes = `${Math.ceil(width)}px`;
      element.srcset = addresses
        .map((address, at) => `${address} ${wide(api.thumbnailSides[at]!)}w`)
        .join(', ');
    };
    let isWanted = true;
    const load = () => {
      const addresses = api.thumbnailSides.map((side) => api.thumbnail(index, id, side));
      if (addresses.every((address) => typeof address === 'string')) show(addresses);
      else Promise.all(addresses).then((all) => isWanted && show(all), fail);
    };
    // What flies by while the person scrolls is not asked for, and what has flown by is not waited for.
    let timer = setTimeout(load, performance.now() - lastScroll < 100 ? 90 : 0);
    const again = () => {
      element.removeAttribute('srcset');
      timer = setTimeout(load, pause);
      element.addEventListener('error', fail);
    };
    const fail = () => setState('failed');
    element.addEventListener('error', again, { once: true });
    return () => {
      isWanted = false;
      clearTimeout(timer);
      element.removeEventListener('error', again);
      element.removeEventListener('error', fail);
      element.srcset = '';
    };
  }, [index, id, width, proportions]);
  return (
    <>
      <img
        ref={image}
        class={`thumbnail ${state}`}
        alt={name}
        decoding="async"
        draggable={false}
        onLoad={() => setState('there')}
      />
      {state === 'failed' && (
        <span class="no-picture" aria-hidden="true">
          <Icon name="picture" />
        </span>
      )}
    </>
  );
}
