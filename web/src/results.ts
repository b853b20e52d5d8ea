/** The results of a query, page after page: what is there, what is on its way, and what went wrong. */

import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { FoundImage, SearchAnswer, SearchRequest } from '../../src/api/index.ts';
import { api } from './back-end.ts';
import { asFailure, type Failure } from './failure.ts';

export interface Results {
  /** The request that `images` answer, as JSON; empty before the first answer. */
  readonly key: string;
  readonly images: readonly FoundImage[];
  readonly hasMore: boolean;
  /** How the query was composed. */
  readonly answer?: SearchAnswer | undefined;
  readonly status: 'ready' | 'searching' | 'more' | 'waiting' | 'failed';
  readonly failure?: Failure | undefined;
}

/** The first page is on the screen at once, the further ones before anyone arrives there. */
const firstPage = 60;
const furtherPage = 500;
/** Beyond these, no one scrolls. */
export const mostResults = 10_000;

const nothing: Results = { key: '', images: [], hasMore: false, status: 'ready' };

/** Answers of this visit, for going back at once. */
const kept = new Map<string, Results>();

export interface Searching {
  readonly results: Results;
  loadMore(): void;
  retry(): void;
}

/** `loaded`: how many results the page had when the person left it. */
export function useResults(request: SearchRequest | undefined, changes: number, loaded: number): Searching {
  const key = request === undefined ? '' : JSON.stringify([request, changes]);
  const [results, setResults] = useState<Results>(nothing);
  const [attempt, setAttempt] = useState(0);
  const latest = useRef(results);
  latest.current = results;
  const busy = useRef<AbortController>(null);

  const run = useCallback(
    (append: boolean, limit: number) => {
      if (request === undefined) return;
      busy.current?.abort();
      const controller = new AbortController();
      busy.current = controller;
      const before = append ? latest.current.images : [];
      setResults((old) => ({ ...old, status: append ? 'more' : 'searching', failure: undefined }));
      void keepTrying(
        () => api.search({ ...request, limit, offset: before.length }, { signal: controller.signal }),
        controller.signal,
        (failure) => setResults((old) => ({ ...old, status: 'waiting', failure })),
      ).then(
        (answer) => {
          const known = new Set(before.map(({ id }) => id));
          const images = [...before, ...answer.images.filter(({ id }) => !known.has(id))];
          const hasMore = answer.hasMore && answer.images.length > 0 && images.length < mostResults;
          const next: Results = { key, images, hasMore, answer, status: 'ready' };
          keep(next);
          setResults(next);
        },
        (error: unknown) => {
          if (controller.signal.aborted) return;
          const failure = asFailure(error);
          // Results of another query beside an error would be taken for this one's.
          const images = append ? latest.current : nothing;
          setResults({ ...images, key, status: 'failed', failure });
        },
      );
    },
    [key],
  );

  useEffect(() => {
    busy.current?.abort();
    const known = kept.get(key);
    if (request === undefined) setResults(nothing);
    else if (known !== undefined && attempt === 0) setResults(known);
    else run(false, Math.min(mostResults, Math.max(firstPage, loaded)));
    return () => busy.current?.abort();
  }, [key, attempt]);

  const loadMore = useCallback(() => {
    const { hasMore, status, key: answered } = latest.current;
    if (hasMore && status === 'ready' && answered === key)
      run(true, Math.min(furtherPage, mostResults - latest.current.images.length));
  }, [run, key]);
  const retry = useCallback(() => setAttempt((count) => count + 1), []);

  return useMemo(() => ({ results, loadMore, retry }), [results, loadMore, retry]);
}

function keep(results: Results): void {
  kept.delete(results.key);
  kept.set(results.key, results);
  const [oldest] = kept.keys();
  if (kept.size > 20 && oldest !== undefined) kept.delete(oldest);
}

/** A server that is busy or away is asked again: after the time it names, or ever more seldom. */
async function keepTrying<T>(
  ask: () => Promise<T>,
  signal: AbortSignal,
  onWait: (failure: Failure) => void,
): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await ask();
    } catch (error) {
      const failure = asFailure(error);
      if (signal.aborted || failure.retryAfter === undefined) throw error;
      onWait(failure);
      const seconds = Math.max(failure.retryAfter, Math.min(10, 2 ** attempt / 2));
      await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
      if (signal.aborted) throw error;
    }
  }
}
