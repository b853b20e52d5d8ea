/** Earlier searches of this browser, to go back to. */

import { useState } from 'preact/hooks';
import { fromAddress } from './address.ts';
import { useApp } from './app.ts';
import { type Address, api } from './back-end.ts';
import { Dialog } from './dialog.tsx';
import { visible } from './display.ts';
import { Icon } from './icons.tsx';
import { Picture } from './picture.tsx';
import { type Query, referenceKey } from './query.ts';
import type { PastSearch } from './recent.ts';

export function Past({
  searches,
  onClear,
  onClose,
}: {
  readonly searches: readonly PastSearch[];
  readonly onClear: () => void;
  readonly onClose: () => void;
}) {
  const { change } = useApp();
  return (
    <Dialog title="Earlier searches" onClose={onClose}>
      {searches.length === 0 ? (
        <p class="empty">There are none yet. Only this browser keeps them.</p>
      ) : (
        <>
          <ol class="past">
            {searches.map(({ address }) => {
              const query = fromAddress(address);
              return (
                <li key={address}>
                  <button
                    type="button"
                    onClick={() => {
                      onClose();
                      change(() => query);
                    }}
                  >
                    <Pictures query={query} />
                    <bdi>{visible(describe(query))}</bdi>
                  </button>
                </li>
              );
            })}
          </ol>
          <button type="button" class="quiet" onClick={onClear}>
            <Icon name="trash" /> Forget them all
          </button>
        </>
      )}
    </Dialog>
  );
}

function Pictures({ query }: { readonly query: Query }) {
  const { index, pictures } = useApp();
  return (
    <span class="past-pictures">
      {query.images.slice(0, 3).map((image, at) => (
        <PastPicture
          key={at}
          of={`${query.index || index.name} ${referenceKey(image)}`}
          source={() =>
            'id' in image
              ? api.thumbnail(query.index || index.name, image.id, 160)
              : (pictures.seen(image.upload)?.preview ?? api.uploadThumbnail(image.upload))
          }
        />
      ))}
    </span>
  );
}

function PastPicture(picture: { readonly of: string; readonly source: () => Address }) {
  const [isGone, setIsGone] = useState(false);
  return isGone ? null : <Picture {...picture} alt="" loading="lazy" onError={() => setIsGone(true)} />;
}

/** A query in a line. */
export function describe({ images, text, without, filter, more, less }: Query): string {
  const parts = [
    text,
    text === '' &&
      images.length > 0 &&
      (images.length === 1 ? 'Like this picture' : `Like these ${images.length} pictures`),
    without && `without ${without}`,
    more.length + less.length > 0 && `${more.length} more, ${less.length} not`,
    filter,
  ];
  return parts.filter((part) => !!part).join(' · ');
}
