/** Answers the page's questions about an index, as a server would: searches, facts, and values of columns. */

import type {
  FoundImage,
  IndexedImage,
  SearchAnswer,
  SearchRequest,
  ValuesAnswer,
} from '../../../../src/api/client.ts';
import type { Clip } from '../../../../src/clip/index.ts';
import {
  asEncoded,
  compose,
  type EmbeddedImage,
  type Method,
  type PseudoTokenEncoder,
  withFeedback,
} from '../../../../src/composition/index.ts';
import { LincirError, normalizeRows } from '../../../../src/core/index.ts';
import {
  type Columns,
  countValues,
  type FilteredRow,
  filterPredicate,
  parseFilter,
} from '../../../../src/store/portable.ts';
import type { Row, Rows } from '../index/rows.ts';

/** What filters can name, as in `lincir index`. */
export const columns: Columns = new Map([
  ['taken', 'time'],
  ['folder', 'string'],
  ['camera', 'string'],
  ['lens', 'string'],
  ['latitude', 'number'],
  ['longitude', 'number'],
  ['width', 'number'],
  ['height', 'number'],
  ['size', 'number'],
  ['modified', 'time'],
  ['path', 'string'],
]);

/** An image of a query. */
export type ResolvedImage = EmbeddedImage & { readonly hash: string };

export interface SearchTools {
  readonly rows: Rows;
  /** The model and its phi, loaded. Queries by a ready vector need none. */
  readonly model: () => Promise<{ readonly clip: Clip; readonly phi?: PseudoTokenEncoder }>;
  readonly upload: (handle: string) => ResolvedImage;
}

interface Hit {
  readonly row: Row;
  readonly score: number;
  readonly copies?: readonly Hit[];
}

const defaultLimit = 20;

/** @throws LincirError for what is no query, and what the model throws */
export async function search(request: SearchRequest, tools: SearchTools): Promise<SearchAnswer> {
  const { rows } = tools;
  const { limit = defaultLimit, offset = 0, minScore = -1, fields, includeReferences } = request;
  const passes = request.filter ? passesFilter(request.filter) : () => true;
  const references = (request.images ?? []).map((image) => resolved(image, tools));
  const { vector, ...composed } = await vectorOf(request, references, tools);
  const begin = performance.now();
  const own = new Set(includeReferences ? [] : references.map(({ hash }) => hash));
  const wanted = offset + limit + 1;
  const ranked = rows
    .nearest(vector, request.unique ? rows.size : wanted, (row) => passes(row) && !own.has(row.facts.hash))
    .filter(({ score }) => score >= minScore);
  const hits: readonly Hit[] = request.unique ? grouped(ranked, wanted) : ranked;
  const images = hits.slice(offset, offset + limit).map(
    ({ row, score, copies }): FoundImage => ({
      ...answerOf(row, fields),
      score,
      ...(copies && {
        duplicates: copies.map((copy) => ({
          id: copy.row.facts.id,
          path: copy.row.facts.path,
          score: copy.score,
        })),
      }),
    }),
  );
  const timings = { ...composed.timings, search: performance.now() - begin };
  return {
    ...composed,
    index: indexName,
    timings,
    images,
    offset,
    limit,
    hasMore: hits.length > offset + limit,
  };
}

export const indexName = 'photos';

/** All that is known of an image. */
export function factsOf(rows: Rows, id: string): IndexedImage {
  const row = rowOf(rows, id);
  const { size, modified } = row.facts;
  return { ...answerOf(row), size, modified };
}

export async function valuesOf(
  rows: Rows,
  { column, prefix, limit }: { readonly column: string; readonly prefix?: string; readonly limit?: number },
): Promise<ValuesAnswer> {
  const all = Array.from(rows.all(), (row) => filteredRow(row)[column] ?? null);
  const { values, ...others } = await countValues([all], { prefix, limit }, false);
  return { values: [...values], ...others };
}

export function rowOf(rows: Rows, id: string): Row {
  const row = rows.withId(id);
  if (row) return row;
  throw new LincirError('not-found', {
    subject: 'the picture',
    expected: 'one of this index',
    found: 'one that is not there any more',
    todo: 'search again',
  });
}

interface Composed extends Pick<SearchAnswer, 'method' | 'prompt' | 'weight' | 'timings'> {
  readonly vector: Float32Array;
}

async function vectorOf(
  request: SearchRequest,
  references: readonly ResolvedImage[],
  tools: SearchTools,
): Promise<Composed> {
  const feedback = (some: SearchRequest['more'] = []) =>
    some.map((image) => asEncoded(resolved(image, tools), false));
  const own = request.vector ? readyVector(request.vector) : await composedQuery(request, references, tools);
  const { moreWeight, lessWeight } = request;
  const more = feedback(request.more);
  const less = feedback(request.less);
  return { ...own, vector: withFeedback(own.vector, { more, less, moreWeight, lessWeight }) };
}

function readyVector(given: readonly number[]): Composed {
  const vector = Float32Array.from(given);
  normalizeRows(vector, vector.length);
  return { vector, method: 'vector', timings: {} };
}

async function composedQuery(
  { text, without, withoutWeight, method, weight }: SearchRequest,
  images: readonly ResolvedImage[],
  { model }: SearchTools,
): Promise<Composed> {
  const { clip, phi } = await model();
  const options = { text, without, withoutWeight, method: method as Method | undefined, weight };
  const query = await compose({ clip, phi, images, ...options });
  const { vector, timings } = query;
  return {
    vector,
    method: query.method,
    prompt: query.prompt,
    weight: query.weight,
    timings: { ...timings },
  };
}

function resolved(
  reference: NonNullable<SearchRequest['images']>[number],
  { rows, upload }: SearchTools,
): ResolvedImage {
  if ('upload' in reference) return upload(reference.upload);
  if ('id' in reference) {
    const row = rowOf(rows, reference.id);
    const { path, hash } = row.facts;
    return { path, hash, vector: rows.vector(row), norm: rows.norm(row) };
  }
  throw new LincirError('bad-argument', {
    subject: 'an image of the query',
    expected: 'one of the index, or one that you gave',
    found: 'another',
  });
}

/** Pictures with the same contents count once, as the first of them. */
function grouped(hits: readonly Hit[], count: number): Hit[] {
  const groups = new Map<string, Hit & { copies: Hit[] }>();
  for (const hit of hits) {
    const group = groups.get(hit.row.facts.hash);
    if (group) group.copies.push(hit);
    else if (groups.size < count) groups.set(hit.row.facts.hash, { ...hit, copies: [] });
  }
  return [...groups.values()];
}

function passesFilter(text: string): (row: Row) => boolean {
  const predicate = filterPredicate(parseFilter(text, columns));
  return (row) => predicate(filteredRow(row));
}

function filteredRow({ facts: { path, modified, size, width, height, photo } }: Row): FilteredRow {
  // A camera's clock tells no zone: filters name days as they were where you are.
  const taken = photo?.taken ? new Date(photo.taken).getTime() : null;
  return { ...photo, taken, path, modified, size, width, height, folder: folderOf(path) };
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}

function answerOf({ facts }: Row, fields: SearchRequest['fields'] = ['path', 'folder', 'hash', 'metadata']) {
  const { id, path, hash, width, height, photo } = facts;
  return {
    id,
    ...(fields.includes('path') && { path }),
    ...(fields.includes('folder') && { folder: folderOf(path) }),
    ...(fields.includes('hash') && { hash }),
    ...(fields.includes('metadata') && { metadata: { ...known(photo), width, height } }),
  };
}

function known(photo: Row['facts']['photo']): Record<string, string | number> {
  const facts = Object.entries(photo ?? {}).filter(
    (fact): fact is [string, string | number] => fact[1] !== null,
  );
  return Object.fromEntries(facts);
}
