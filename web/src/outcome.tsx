/** What became of a search, in words: how many there are, why there are none, what is awaited, what went wrong. */

import { useEffect, useState } from 'preact/hooks';
import { useApp } from './app.ts';
import { api } from './back-end.ts';
import { count, visible } from './display.ts';
import { Icon } from './icons.tsx';
import { asksSomething } from './query.ts';
import { mostResults } from './results.ts';

/** A line above the results. */
export function Status() {
  const { results, query, index } = useApp();
  const { images, hasMore, status, answer, failure } = results;
  const isSlow = useIsSlow(status === 'searching');
  const text = (() => {
    if (status === 'searching') return isSlow ? undefined : 'Searching…';
    if (status === 'waiting' || status === 'failed' || answer === undefined) return undefined;
    if (images.length === 0) return 'No images';
    const inOrder = hasMore ? 'The nearest first' : count(images.length, 'image');
    if (!asksSomething(query)) return hasMore ? 'In no order' : `${inOrder}, in no order`;
    const milliseconds = Object.values(answer.timings).reduce((sum, one) => sum + one, 0);
    return `${inOrder} · ${Math.round(milliseconds)} ms`;
  })();
  return (
    <div class="status" aria-live="polite">
      {text && <p>{text}</p>}
      {isSlow && <Slow index={index.name} />}
      {status === 'waiting' && failure && (
        <p class="waiting">
          <Icon name="clock" /> {failure.code === 'busy' ? 'The server is busy.' : failure.detail} Trying
          again…
        </p>
      )}
    </div>
  );
}

/** A search that takes long mostly loads its model. */
function Slow({ index }: { readonly index: string }) {
  const [model, setModel] = useState<string>();
  useEffect(() => {
    api.models().then(
      (models) => setModel(models.find(({ indexes, loaded }) => indexes.includes(index) && !loaded)?.name),
      () => undefined,
    );
  }, [index]);
  return (
    <p class="waiting">
      <progress aria-label="Searching" />{' '}
      {model ? (
        <>
          Loading the model <bdi>{visible(model)}</bdi>. Only the first search takes so long.
        </>
      ) : (
        'Searching…'
      )}
    </p>
  );
}

function useIsSlow(isSearching: boolean): boolean {
  const [isSlow, setIsSlow] = useState(false);
  useEffect(() => {
    setIsSlow(false);
    if (!isSearching) return;
    const timer = setTimeout(() => setIsSlow(true), 1200);
    return () => clearTimeout(timer);
  }, [isSearching]);
  return isSlow && isSearching;
}

/** In place of results. */
export function Nothing({ onRetry }: { readonly onRetry: () => void }) {
  const { results, query, change } = useApp();
  const { failure, status, images } = results;
  if (status === 'failed' && failure)
    return (
      <div class="empty" role="alert">
        <Icon name="warning" />
        <p>
          <bdi>
            {failure.field === 'page'
              ? failure.detail
              : 'This cannot be searched yet. Look at what is marked above.'}
          </bdi>
        </p>
        {failure.field === 'page' && failure.todo && (
          <p class="note">
            <bdi>{failure.todo}</bdi>
          </p>
        )}
        {failure.field === 'page' && (
          <button type="button" class="quiet" onClick={onRetry}>
            Try again
          </button>
        )}
      </div>
    );
  if (status === 'searching' && images.length === 0)
    return (
      <div class="skeleton" aria-hidden="true">
        {Array.from({ length: 18 }, (_, at) => (
          <span key={at} />
        ))}
      </div>
    );
  if (status !== 'ready' || images.length > 0 || results.answer === undefined) return null;
  return (
    <div class="empty">
      <Icon name="search" />
      {query.minScore !== undefined ? (
        <>
          <p>No image has a score of {query.minScore.toFixed(2)} or more.</p>
          <button
            type="button"
            class="quiet"
            onClick={() => change((old) => ({ ...old, minScore: undefined }))}
          >
            Show all scores
          </button>
        </>
      ) : query.filter !== '' ? (
        <>
          <p>No image passes the filter.</p>
          <button type="button" class="quiet" onClick={() => change((old) => ({ ...old, filter: '' }))}>
            Remove the filter
          </button>
        </>
      ) : (
        <p>The index has no other images than those of the query.</p>
      )}
    </div>
  );
}

/** Below the results. */
export function End() {
  const { results } = useApp();
  const { images, hasMore, status } = results;
  if (images.length === 0) return null;
  if (status === 'more' || hasMore) return <p class="end">Loading more…</p>;
  if (images.length >= mostResults)
    return (
      <p class="end">
        These are the {mostResults.toLocaleString('en')} nearest images. Refine the query to see others.
      </p>
    );
  return <p class="end">That is all.</p>;
}

/** Words and pictures need phi. Without one, the page mixes their vectors, and says so. */
export function NoPhi() {
  const { index, query, change, results } = useApp();
  if (results.status === 'failed') return null;
  if (index.phi !== undefined || query.images.length === 0 || query.text.trim() === '') return null;
  const others = ['sum', 'slerp'].filter(
    (name) => index.methods.includes(name) && name !== (query.method ?? 'sum'),
  );
  return (
    <details class="advice">
      <summary>
        <Icon name="info" /> Pictures and words are only mixed here, as {api.self} has no phi.
      </summary>
      <p>
        {index.advice !== undefined && <bdi>{index.advice}</bdi>} Until then, the page uses the method{' '}
        {query.method ?? 'sum'}, which finds less.{' '}
        {others.map((name) => (
          <button
            key={name}
            type="button"
            class="link"
            onClick={() => change((old) => ({ ...old, method: name }))}
          >
            Use {name}
          </button>
        ))}
      </p>
    </details>
  );
}
