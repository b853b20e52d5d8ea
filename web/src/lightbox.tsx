/** An image large, over the page: its facts, its neighbours in the results, and a closer look. */

import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import type { FoundImage, IndexedImage } from '../../src/api/index.ts';
import { actByKey, useActions } from './actions.ts';
import { useApp } from './app.ts';
import { api } from './back-end.ts';
import { count, fileName, score, visible } from './display.ts';
import { Facts } from './facts.tsx';
import { Icon } from './icons.tsx';
import { useMenu } from './menu.tsx';
import { Picture } from './picture.tsx';
import { startFrom } from './query.ts';
import { useSwipe } from './swipe.ts';
import { useZoom } from './zoom.ts';

export function Lightbox({ id, onNearEnd }: { readonly id: string; readonly onNearEnd: () => void }) {
  const { index, route, results, change, announce } = useApp();
  const actionsOf = useActions();
  const menu = useMenu();
  const dialog = useRef<HTMLDialogElement>(null);
  const at = results.images.findIndex((one) => one.id === id);
  const found: FoundImage | undefined = results.images[at];
  const image = useFacts(index.name, id, found);
  const [showsFacts, setShowsFacts] = useState(true);
  const zoom = useZoom(id);

  useEffect(() => {
    const before = document.activeElement;
    const element = dialog.current!;
    element.showModal();
    return () => {
      element.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);

  const go = useCallback(
    (step: number) => {
      const next = at < 0 ? undefined : results.images[at + step];
      if (next === undefined) return;
      route.show(next.id);
      if (at + step > results.images.length - 8) onNearEnd();
      announce(`${at + step + 1}: ${visible(fileName(next.path ?? next.id))}`);
    },
    [at, results.images, route, announce, onNearEnd],
  );
  // The neighbours are there at once.
  useEffect(() => {
    for (const { id: near } of at < 0
      ? []
      : [results.images[at + 1], results.images[at - 1]].filter((one) => !!one))
      void Promise.resolve(api.thumbnail(index.name, near, 640)).then(
        (address) => {
          new Image().src = address;
        },
        () => undefined, // It shows when the person arrives there.
      );
  }, [at, results.images, index.name]);
  const swipe = useSwipe((step) => zoom.level === 1 && go(step));
  const close = () => route.show(undefined);
  const actions = actionsOf(image);
  const name = visible(fileName(image.path ?? id));

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const isZoomed = zoom.level > 1;
    const keys: Readonly<Record<string, () => void>> = {
      ...(!isZoomed && { ArrowLeft: () => go(-1), ArrowRight: () => go(1) }),
      PageUp: () => go(-1),
      PageDown: () => go(1),
      '+': zoom.in,
      '=': zoom.in,
      '-': zoom.out,
      0: zoom.fit,
      i: () => setShowsFacts((shows) => !shows),
    };
    const act = keys[event.key];
    if (act) act();
    else if (!actByKey(actions, event)) return;
    event.preventDefault();
  };

  return (
    <dialog
      class={`lightbox${showsFacts ? ' with-facts' : ''}`}
      ref={dialog}
      aria-label={`Image ${name}`}
      onKeyDown={onKeyDown}
      onCancel={(event) => {
        event.preventDefault();
        close();
      }}
    >
      <div class="lightbox-inside">
        <div class="bar">
          <p>
            {at >= 0 && (
              <span class="muted">{`${at + 1} of ${results.images.length}${results.hasMore ? '+' : ''}`}</span>
            )}
            <bdi>{name}</bdi>
          </p>
          <button
            type="button"
            class="plain square"
            aria-label="Zoom out"
            onClick={zoom.out}
            disabled={zoom.level <= 1}
          >
            <Icon name="minus" />
          </button>
          <output class="muted" aria-label="Zoom">
            {zoom.level === 1 ? 'fit' : `${Math.round(zoom.level * 100)} %`}
          </output>
          <button
            type="button"
            class="plain square"
            aria-label="Zoom in"
            onClick={zoom.in}
            disabled={zoom.level >= zoom.most}
          >
            <Icon name="plus" />
          </button>
          <button
            type="button"
            class="plain square"
            aria-label="Facts"
            aria-pressed={showsFacts}
            title="Facts (I)"
            onClick={() => setShowsFacts(!showsFacts)}
          >
            <Icon name="info" />
          </button>
          <button
            type="button"
            class="plain square"
            aria-label="Actions"
            aria-haspopup="menu"
            aria-expanded="false"
            onClick={(event) => menu.open(event.currentTarget, `Actions for ${name}`, actions)}
          >
            <Icon name="dots" />
          </button>
          <button
            type="button"
            class="plain square"
            aria-label="Close"
            title="Close (Escape)"
            onClick={close}
          >
            <Icon name="close" />
          </button>
        </div>
        <div class="stage" {...swipe}>
          <Large key={id} index={index.name} id={id} name={name} zoom={zoom} />
          {at > 0 && (
            <button type="button" class="step previous" aria-label="Previous image" onClick={() => go(-1)}>
              <Icon name="left" />
            </button>
          )}
          {at >= 0 && at < results.images.length - 1 && (
            <button type="button" class="step next" aria-label="Next image" onClick={() => go(1)}>
              <Icon name="right" />
            </button>
          )}
        </div>
        {showsFacts && (
          <aside class="facts" aria-label="Facts">
            <button type="button" class="strong" onClick={() => change((query) => startFrom(query, { id }))}>
              <Icon name="search" /> Use as reference
            </button>
            <Facts
              image={image}
              score={found && results.answer?.method !== 'vector' ? score(found.score) : undefined}
            />
            {found?.duplicates && found.duplicates.length > 0 && (
              <section aria-label="Duplicates">
                <h3>{count(found.duplicates.length, 'duplicate')}</h3>
                <ul>
                  {found.duplicates.map((copy) => (
                    <li key={copy.id}>
                      <button type="button" class="link" onClick={() => route.show(copy.id)}>
                        <bdi>{visible(copy.path ?? copy.id)}</bdi>
                      </button>
                    </li>
                  ))}
                </ul>
              </section>
            )}
          </aside>
        )}
      </div>
      {menu.element}
    </dialog>
  );
}

/** The picture: a small one at once, then the original; its largest thumbnail where no browser shows the original. */
function Large({
  index,
  id,
  name,
  zoom,
}: {
  readonly index: string;
  readonly id: string;
  readonly name: string;
  readonly zoom: ReturnType<typeof useZoom>;
}) {
  const [isThere, setIsThere] = useState(false);
  const [hasFailed, setHasFailed] = useState(false);
  return (
    <div class="large" ref={zoom.frame} tabIndex={zoom.level > 1 ? 0 : undefined} onWheel={zoom.onWheel}>
      {!isThere && (
        <Picture class="preview" of={`${index} ${id}`} source={() => api.thumbnail(index, id, 640)} alt="" />
      )}
      <Picture
        class={isThere ? 'original' : 'original waiting'}
        of={`${index} ${id} ${hasFailed}`}
        source={() => (hasFailed ? api.thumbnail(index, id, 640) : api.original(index, id))}
        alt={name}
        onLoad={() => setIsThere(true)}
        onError={() => setHasFailed(true)}
        onDblClick={zoom.toggle}
      />
    </div>
  );
}

/** All that the index knows of an image: the results have most of it at once. */
function useFacts(index: string, id: string, found: FoundImage | undefined): IndexedImage {
  const [facts, setFacts] = useState<IndexedImage>();
  useEffect(() => {
    let isWanted = true;
    api.image(index, id).then(
      (image) => isWanted && setFacts(image),
      () => undefined, // The image itself shows that it is gone.
    );
    return () => {
      isWanted = false;
    };
  }, [index, id]);
  return { id, ...found, ...(facts?.id === id && facts) };
}
