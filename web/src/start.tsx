/** The first sight of an index: a few of its images, each a query to begin with. */

import { useEffect, useMemo, useState } from 'preact/hooks';
import type { FoundImage } from '../../src/api/client.ts';
import { useApp } from './app.ts';
import { api } from './back-end.ts';
import { count, fileName, proportionsOf, visible } from './display.ts';
import { Icon } from './icons.tsx';
import { emptyQuery, startFrom, toRequest } from './query.ts';
import { Thumbnail } from './thumbnail.tsx';

const shown = 12;

export function Start({ onIndex }: { readonly onIndex: () => void }) {
  const { index, server, change } = useApp();
  const [seed, setSeed] = useState(() => Math.floor(Math.random() * 2 ** 31));
  const images = useSomeImages(index.name, index.dimensions, index.changes, seed);
  if (index.images === 0)
    return (
      <div class="empty">
        <Icon name="folder" />
        <p>
          The index <bdi>{visible(index.name)}</bdi> has no images yet.
        </p>
        {server.allows.indexing ? (
          <button type="button" class="strong" onClick={onIndex}>
            Index folders
          </button>
        ) : (
          <p>
            Bring it up to date: <code>lincir index my-photos --index …</code>
          </p>
        )}
      </div>
    );
  return (
    <section class="start" aria-labelledby="start-title">
      <div class="line">
        <h2 id="start-title">Start from one of these</h2>
        <button type="button" class="quiet" onClick={() => setSeed((old) => old + 1)}>
          <Icon name="shuffle" /> Others
        </button>
      </div>
      <ul class="starters" aria-busy={images === undefined}>
        {(images ?? Array.from({ length: shown }, () => undefined)).map((image, at) => (
          <li key={image?.id ?? at} style={{ flexGrow: `${image ? proportionsOf(image) : 1}` }}>
            {image && (
              <button
                type="button"
                aria-label={`Search with ${visible(fileName(image.path ?? image.id))}`}
                onClick={() => change((query) => startFrom(query, { id: image.id }))}
              >
                <Thumbnail
                  index={index.name}
                  id={image.id}
                  name=""
                  width={220}
                  proportions={proportionsOf(image)}
                />
              </button>
            )}
          </li>
        ))}
      </ul>
      <p class="note">
        {count(index.images, 'image')} in <bdi>{visible(index.name)}</bdi>
        {server.demo &&
          '. These are drawings of the miniature world. Try “but at sunset”, or “with a red heart”'}
        .
      </p>
    </section>
  );
}

/** Images by chance: some of those that are nearest to a direction by chance. */
function useSomeImages(name: string, dimensions: number, changes: number, seed: number) {
  const [images, setImages] = useState<readonly FoundImage[]>();
  const request = useMemo(
    () => ({ ...toRequest({ ...emptyQuery, index: name }, dimensions, seed), limit: 240 }),
    [name, dimensions, seed],
  );
  useEffect(() => {
    const controller = new AbortController();
    api.search(request, { signal: controller.signal }).then(
      ({ images: found }) => {
        const step = Math.max(1, found.length / shown);
        const count = Math.min(shown, found.length);
        setImages(Array.from({ length: count }, (_, at) => found[Math.floor(at * step)]!));
      },
      () => undefined, // The search that follows says what is wrong.
    );
    return () => controller.abort();
  }, [request, changes]);
  return images;
}
