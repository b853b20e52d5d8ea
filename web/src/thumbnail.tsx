/** A small picture: its place at once, the picture as sharp as the screen, and given up when it is scrolled away. */

import { useEffect, useRef, useState } from 'preact/hooks';
import { api } from './api.ts';
import { Icon } from './icons.tsx';

const sides = [160, 320, 640] as const;

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
    if (element.complete && element.naturalWidth > 0) setState('there');
    return () => {
      // What is not shown any more is not waited for.
      element.srcset = '';
      element.src = '';
    };
  }, []);
  const wide = (side: number) => Math.round(proportions >= 1 ? side : side * proportions);
  return (
    <>
      <img
        ref={image}
        class={`thumbnail ${state}`}
        alt={name}
        srcset={sides.map((side) => `${api.thumbnail(index, id, side)} ${wide(side)}w`).join(', ')}
        sizes={`${Math.ceil(width)}px`}
        src={api.thumbnail(index, id, 320)}
        decoding="async"
        draggable={false}
        onLoad={() => setState('there')}
        onError={() => setState('failed')}
      />
      {state === 'failed' && (
        <span class="no-picture" aria-hidden="true">
          <Icon name="picture" />
        </span>
      )}
    </>
  );
}
