/** An image element whose picture may still have to be fetched out of the tab's own memory. */

import type { ComponentProps } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Address } from './back-end.ts';

type Shown = 'class' | 'loading' | 'draggable' | 'onLoad' | 'onDblClick';

/** `source` is asked whenever `of`, which names the picture, changes. */
export function Picture({
  of,
  source,
  alt,
  ...others
}: Pick<ComponentProps<'img'>, Shown> & {
  readonly alt: string;
  readonly of: string;
  readonly source: () => Address;
  readonly onError?: () => void;
}) {
  const src = useAddress(of, source, others.onError);
  return <img alt={alt} {...others} {...(src !== undefined && { src })} />;
}

/** The address, once it is there. */
function useAddress(of: string, source: () => Address, onGone?: () => void): string | undefined {
  const [known, setKnown] = useState<{ readonly of: string; readonly address: string }>();
  const given = known?.of === of ? known.address : source();
  useEffect(() => {
    if (typeof given === 'string') return;
    let isWanted = true;
    given.then(
      (address) => isWanted && setKnown({ of, address }),
      () => isWanted && onGone?.(),
    );
    return () => {
      isWanted = false;
    };
  }, [of, typeof given]);
  return typeof given === 'string' ? given : undefined;
}
