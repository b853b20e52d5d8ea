/** Searches a store: pages of hits, without excluded images, and with duplicates shown once. */

import { expectDirection, type Query } from '../composition/index.ts';
import { LincirError } from '../core/index.ts';
import { type Hit, parseFilter } from '../store/index.ts';
import { groupsOf } from './duplicates.ts';
import type { StoreReader } from './held-images.ts';
import { namedColumns, namedMetadata, storedFilter } from './photo-columns.ts';

export interface SearchOptions {
  /** Largest number of hits. Default: 10. */
  readonly top?: number;
  /** Which page of `top` hits, from 1. */
  readonly page?: number;
  /** Leave out hits with a lower cosine similarity. */
  readonly minScore?: number;
  /** Which images are ranked, such as `folder like '%/2024' and rating >= 4`. */
  readonly where?: string;
  /** Hashes of contents to leave out, such as the query's own images'. */
  readonly exclude?: readonly string[];
  /** Compare every vector, instead of using the approximate index. */
  readonly exact?: boolean;
  /**
   * Duplicates count once, as the best of them, which has the others as `duplicates`. `true`: images with the same
   * contents. A number from 0 to 1: also images whose embeddings have at least this cosine similarity with its own.
   */
  readonly unique?: boolean | number;
  /** Aborts the search, while it compares images with each other. */
  readonly signal?: AbortSignal;
}

export interface FoundImage extends Hit {
  /** With `unique`: duplicates among the images that were read for this page, the nearest to the query first. */
  readonly duplicates?: readonly Hit[];
}

const defaultTop = 10;
/** Nobody wants hits further down, and they would take memory. */
const deepestHit = 100_000;
/** How many times as many hits are read first if duplicates count once. */
const hitsPerUnique = 4;

/**
 * The images nearest to a query, the nearest first.
 * @throws LincirError 'bad-argument' for a query without a direction, a filter that cannot be read, and bad options
 */
export async function searchStore(
  store: StoreReader,
  query: Query,
  {
    top = defaultTop,
    page = 1,
    minScore = -1,
    where,
    exclude = [],
    exact,
    unique = false,
    signal,
  }: SearchOptions,
): Promise<FoundImage[]> {
  expectCount('top', top);
  expectCount('page', page);
  expectCount('top x page', top * page);
  if (typeof unique === 'number' && !(unique >= 0 && unique <= 1)) {
    throw badArgument('unique', 'a similarity from 0 to 1', `${unique}`);
  }
  const { vector } = query;
  const { dimensions } = store.info;
  if (vector.length !== dimensions) {
    throw badArgument("the query's dimensions", `${dimensions}`, `${vector.length}`);
  }
  expectDirection(vector, 'the query');
  const columns = await store.columns();
  const filter =
    where === undefined ? undefined : storedFilter(parseFilter(where, namedColumns(columns)), columns);
  const vectors = new Map<string, Float32Array>();
  const last = top * page;
  // Excluded images must not make pages shorter. So ask for more hits, and for more again if that was not enough.
  const first = (last + exclude.length) * (unique === false ? 1 : hitsPerUnique);
  for (let limit = Math.min(first, deepestHit); ; limit = Math.min(2 * limit, deepestHit)) {
    const found = await store.search({ vector, limit, filter, exact });
    const wanted = found.filter(({ hash, score }) => !exclude.includes(hash) && score >= minScore);
    signal?.throwIfAborted();
    if (typeof unique === 'number') await readVectors(store, wanted, vectors);
    const hits =
      unique === false
        ? wanted
        : await groupsOf(wanted, unique === true ? undefined : unique, vectors, signal);
    // If duplicates count once, the hit after the last shows that no duplicate with the last score is missing.
    const isEnough = unique === false ? hits.length >= last : hits.length > last;
    const isAll = found.length < limit || (found.at(-1)?.score ?? -1) < minScore || limit === deepestHit;
    if (isEnough || isAll) return hits.slice(last - top, last).map(named);
  }
}

function named({ duplicates, ...hit }: FoundImage): FoundImage {
  const nameOf = (one: Hit): Hit => ({ ...one, metadata: namedMetadata(one.metadata) });
  return { ...nameOf(hit), ...(duplicates && { duplicates: duplicates.map(nameOf) }) };
}

async function readVectors(
  store: StoreReader,
  hits: readonly Hit[],
  vectors: Map<string, Float32Array>,
): Promise<void> {
  const missing = hits.flatMap(({ id }) => (vectors.has(id) ? [] : [id]));
  for (const { id, vector } of await store.find('id', missing)) vectors.set(id, vector);
}

function badArgument(subject: string, expected: string, found: string): LincirError {
  return new LincirError('bad-argument', { subject, expected, found });
}

function expectCount(subject: string, value: number): void {
  if (Number.isInteger(value) && value >= 1 && value <= deepestHit) return;
  throw badArgument(subject, `a whole number from 1 to ${deepestHit}`, `${value}`);
}
