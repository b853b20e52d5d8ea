/** The search page: the query above, its results below. */

import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { ServerAnswer } from '../../src/api/client.ts';
import { type App, AppContext } from './app.ts';
import { Composer } from './composer.tsx';
import { DropTarget } from './drop.tsx';
import { Filters } from './filters.tsx';
import { Grid } from './grid.tsx';
import { Header } from './header.tsx';
import { Help } from './help.tsx';
import { Icon } from './icons.tsx';
import { Indexing } from './indexing.tsx';
import { useKeys } from './keys.ts';
import { Lightbox } from './lightbox.tsx';
import { Options } from './options.tsx';
import { End, NoPhi, Nothing, Status } from './outcome.tsx';
import { describe, Past } from './past.tsx';
import { usePictures } from './pictures.ts';
import { Pills } from './pills.tsx';
import { usePlace } from './place.ts';
import { addImages, asksSomething, isEmpty, type Query, replaceImage, toRequest } from './query.ts';
import { readSearches, remember, writeSearches } from './recent.ts';
import { useResults } from './results.ts';
import { useRoute } from './route.ts';
import { Start } from './start.tsx';

type Panel = 'filters' | 'options' | undefined;

export function Page({
  server,
  isAway,
  onReload,
  onLibrary,
  above,
}: {
  readonly server: ServerAnswer;
  readonly isAway: boolean;
  readonly onReload: () => void;
  /** Shows where photos and models are managed, if that is not the server's part. */
  readonly onLibrary?: () => void;
  /** What stands above the results. */
  readonly above?: preact.ComponentChildren;
}) {
  const route = useRoute();
  const { query } = route;
  const index = server.indexes.find(({ name }) => name === query.index) ?? server.indexes[0]!;
  const [words, setWords] = useState(query.text);
  const [panel, setPanel] = useState<Panel>();
  const [dialog, setDialog] = useState<'past' | 'help' | 'indexing'>();
  const [message, setMessage] = useState('');
  const [notice, setNotice] = useState('');
  const [searches, setSearches] = useState(() => readSearches(localStorage));
  useEffect(() => setWords(query.text), [query]);

  const draft = useRef<Query>(query);
  draft.current = { ...query, text: words };
  const change = useCallback(
    (edit: (query: Query) => Query) => route.change(trimmed(edit(draft.current))),
    [route.change],
  );

  const fallback = index.methods.includes('lincir')
    ? undefined
    : index.methods.find((name) => name === 'sum');
  const request = useMemo(
    () =>
      isEmpty(query) ? undefined : toRequest({ ...query, index: index.name }, index.dimensions, 1, fallback),
    [query, index.name, index.dimensions, fallback],
  );
  // What has changed in the index meanwhile shows with the next search, not under the person's eyes.
  const changes = useMemo(() => index.changes, [request]);
  const { results, loadMore, retry } = useResults(request, changes, route.entry.loaded);
  const pictures = usePictures(index.name, server.uploadBytes, (list, images, at) =>
    change((old) =>
      at === undefined ? addImages(old, list, images) : replaceImage(old, list, at, images[0]!),
    ),
  );
  usePlace(route, results, request !== undefined);

  const { answer, status } = results;
  useEffect(() => {
    if (status !== 'ready' || answer === undefined || !asksSomething(query)) return;
    setSearches((old) => {
      const next = remember(old, query, Date.now());
      writeSearches(localStorage, next);
      return next;
    });
  }, [answer, status, query]);
  useEffect(() => {
    document.title = isEmpty(query) ? 'lincir' : `${describe(query)} – lincir`;
  }, [query]);

  const field = results.failure?.field;
  useEffect(() => {
    if (field === 'filter') setPanel('filters');
    else if (field === 'without') setPanel('options');
  }, [field]);
  const isLockedOut = results.failure?.status === 401;
  useEffect(() => {
    if (isLockedOut) onReload(); // which shows where to sign in
  }, [isLockedOut, onReload]);

  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const notify = useCallback((text: string) => {
    setNotice(text);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setNotice(''), 5000);
  }, []);
  const [hasKeys, setHasKeys] = useKeys(route, () => setDialog('help'));

  const app = useMemo<App>(
    () => ({ server, index, route, query, results, pictures, change, announce: setMessage, notify }),
    [server, index, route, query, results, pictures, change, notify],
  );
  const toggle = (name: Panel) => setPanel(panel === name ? undefined : name);
  const isStart = request === undefined;

  return (
    <AppContext.Provider value={app}>
      <div class={isStart ? 'page at-start' : 'page'}>
        <StickyTop>
          <Header onOpen={setDialog} onLibrary={onLibrary} />
          <search>
            <h1 class={isStart ? undefined : 'hidden'}>
              {isStart ? 'Find images with an image and a few words' : 'Search'}
            </h1>
            <Composer words={words} setWords={setWords} />
            <div class="refine">
              {index.columns.length > 0 && (
                <button
                  type="button"
                  class="quiet"
                  aria-expanded={panel === 'filters'}
                  onClick={() => toggle('filters')}
                >
                  <Icon name="filter" /> Filter
                </button>
              )}
              <button
                type="button"
                class="quiet"
                aria-expanded={panel === 'options'}
                onClick={() => toggle('options')}
              >
                <Icon name="options" /> More options
              </button>
              <Pills onOpen={setPanel} />
            </div>
            {panel && (
              <section
                class="panel"
                aria-label={panel === 'filters' ? 'Filter' : 'More options'}
                onKeyDown={(event) => {
                  if (event.key !== 'Escape') return;
                  setPanel(undefined);
                  document.querySelector<HTMLElement>('.refine [aria-expanded=true]')?.focus();
                }}
              >
                {panel === 'filters' ? <Filters /> : <Options />}
              </section>
            )}
          </search>
        </StickyTop>
        <main id="results">
          {above}
          {isAway && (
            <p class="waiting banner">
              <Icon name="warning" /> The server does not answer. Trying again…{' '}
              <button type="button" class="link" onClick={onReload}>
                Now
              </button>
            </p>
          )}
          {isStart ? (
            <Start onIndex={() => setDialog('indexing')} />
          ) : (
            <>
              <div class="line above">
                <Status />
                {index.changes !== changes && (
                  <button type="button" class="link" onClick={retry}>
                    The index has changed. Search again
                  </button>
                )}
              </div>
              <NoPhi />
              <Nothing onRetry={retry} />
              <Grid
                images={results.images}
                showScore={results.answer?.method !== 'vector'}
                isBusy={status === 'searching' || status === 'waiting'}
                onNearEnd={loadMore}
              />
              <End />
            </>
          )}
        </main>
        {route.view !== undefined && <Lightbox id={route.view} onNearEnd={loadMore} />}
        {dialog === 'past' && (
          <Past
            searches={searches}
            onClose={() => setDialog(undefined)}
            onClear={() => {
              writeSearches(localStorage, []);
              setSearches([]);
            }}
          />
        )}
        {dialog === 'help' && (
          <Help hasKeys={hasKeys} onKeys={setHasKeys} onClose={() => setDialog(undefined)} />
        )}
        {dialog === 'indexing' && (
          <Indexing index={index.name} onChanged={onReload} onClose={() => setDialog(undefined)} />
        )}
        <DropTarget />
        <div class="hidden" aria-live="polite">
          {message}
        </div>
        <div class="notice" role="status">
          {notice && <p>{notice}</p>}
        </div>
      </div>
    </AppContext.Provider>
  );
}

function trimmed(query: Query): Query {
  return { ...query, text: query.text.trim(), without: query.without.trim() };
}

/** The query stays on the screen. What has the focus is never scrolled under it. */
function StickyTop({ children }: { readonly children: preact.ComponentChildren }) {
  const top = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const element = top.current!;
    const observer = new ResizeObserver(() => {
      const isSticky = getComputedStyle(element).position === 'sticky';
      document.documentElement.style.scrollPaddingTop = `${isSticky ? element.offsetHeight + 8 : 8}px`;
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return (
    <div class="top" ref={top}>
      {children}
    </div>
  );
}
