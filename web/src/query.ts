/** A query as the page holds it, and every way to change it: pure functions from one query to the next. */

import type { SearchRequest } from '../../src/api/index.ts';

/** An image of a query: one of the index, or one that you gave. */
export type Reference = { readonly id: string } | { readonly upload: string };

/** The lists of images in a query: what it starts from, and what to move it towards and away from. */
export type ImageList = 'images' | 'more' | 'less';

export interface Query {
  /** The name of an index; empty for the server's first. */
  readonly index: string;
  readonly images: readonly Reference[];
  readonly text: string;
  readonly without: string;
  readonly withoutWeight?: number | undefined;
  readonly method?: string | undefined;
  readonly weight?: number | undefined;
  readonly more: readonly Reference[];
  readonly less: readonly Reference[];
  /** In the filter language; empty for none. */
  readonly filter: string;
  readonly minScore?: number | undefined;
  readonly unique: boolean;
}

export const emptyQuery: Query = {
  index: '',
  images: [],
  text: '',
  without: '',
  more: [],
  less: [],
  filter: '',
  unique: false,
};

export const mostImages = 16;

export function referenceKey(reference: Reference): string {
  return 'id' in reference ? reference.id : `upload:${reference.upload}`;
}

export function sameReference(a: Reference, b: Reference): boolean {
  return referenceKey(a) === referenceKey(b);
}

/** Whether there is anything to compare images with. */
export function asksSomething({ images, text, more }: Query): boolean {
  return images.length > 0 || text.trim() !== '' || more.length > 0;
}

/** Whether there is nothing to search for, nor to filter by. */
export function isEmpty(query: Query): boolean {
  return !asksSomething(query) && query.filter === '' && query.without.trim() === '';
}

/** Adds images that the list lacks. What is to be "more" cannot stay "less". */
export function addImages(query: Query, list: ImageList, added: readonly Reference[]): Query {
  const fresh = added.filter(
    (image, at) =>
      !query[list].some((other) => sameReference(other, image)) &&
      added.findIndex((other) => sameReference(other, image)) === at,
  );
  const other = list === 'more' ? 'less' : list === 'less' ? 'more' : undefined;
  return {
    ...query,
    ...(other && {
      [other]: query[other].filter((image) => !fresh.some((one) => sameReference(one, image))),
    }),
    [list]: [...query[list], ...fresh].slice(0, mostImages),
  };
}

/** Makes an image the only one that the query starts from. The words stay, if they name no further image. */
export function startFrom(query: Query, image: Reference): Query {
  const text = namedImages(query.text).some((number) => number > 1) ? '' : query.text;
  return { ...query, images: [image], text, more: [], less: [] };
}

/** Removes an image. The words go on naming the others as they did. */
export function removeImage(query: Query, list: ImageList, at: number): Query {
  const images = query[list].filter((_, index) => index !== at);
  if (list !== 'images') return { ...query, [list]: images };
  const text = renumber(query.text, (number) => (number > at + 1 ? number - 1 : number));
  return { ...query, images, text };
}

/** Moves an image of the query to another place. Its name in the words moves with it. */
export function moveImage(query: Query, from: number, to: number): Query {
  if (to < 0 || to >= query.images.length || from === to) return query;
  const order = query.images.map((_, index) => index);
  order.splice(to, 0, ...order.splice(from, 1));
  return {
    ...query,
    images: order.map((index) => query.images[index]!),
    text: renumber(query.text, (number) => {
      const place = order.indexOf(number - 1);
      return place < 0 ? number : place + 1;
    }),
  };
}

/** Puts another image where one was, such as the same picture given again. */
export function replaceImage(query: Query, list: ImageList, at: number, image: Reference): Query {
  return { ...query, [list]: query[list].map((other, index) => (index === at ? image : other)) };
}

/** `\$`, prices such as `$1.50`, and names of images: only the last are numbered. */
const names = /\\\$|\$(\d+(?:[.,]\d+)*)/g;

function renumber(text: string, change: (number: number) => number): string {
  return text.replace(names, (name: string, number?: string) =>
    number === undefined || /\D/.test(number) ? name : `$${change(Number(number))}`,
  );
}

/** The numbers of the images that words name. */
export function namedImages(text: string): number[] {
  return [...text.matchAll(names)].flatMap(([, number]) =>
    number === undefined || /\D/.test(number) ? [] : [Number(number)],
  );
}

/** Images of several that the words do not name, though they must: their numbers. */
export function unnamedImages({ images, text, method }: Query): number[] {
  if (images.length < 2 || text.trim() === '' || method === 'sum' || method === 'slerp') return [];
  const named = new Set(namedImages(text));
  return images.map((_, at) => at + 1).filter((number) => !named.has(number));
}

/** The same words with the names that they lack, for a person to go on from. */
export function withNames(query: Query): string {
  const missing = unnamedImages(query).map((number) => `$${number}`);
  const words = query.text.trim();
  if (missing.length === 0) return words;
  if (namedImages(words).length > 0) return `${words} with ${missing.join(' and ')}`;
  return `${missing[0]} ${words}, with ${missing.slice(1).join(' and ')}`;
}

/**
 * The request for a query. Without words or images it orders by chance, the same for the same `seed`: for looking around.
 * A text with images needs a method that the index has: `fallback` when there is no phi.
 */
export function toRequest(query: Query, dimensions: number, seed: number, fallback?: string): SearchRequest {
  const { index, images, more, less, filter, minScore, unique } = query;
  const asks = asksSomething(query);
  const mixes = images.length > 0 && query.text.trim() !== '';
  // A text that names images is a prompt, which nothing but phi can read: the server says so.
  const isPrompt = /(?<!\\)\$/.test(query.text);
  const method = (query.method ?? (isPrompt ? undefined : fallback)) as SearchRequest['method'];
  return {
    ...(index && { index }),
    ...(images.length > 0 && { images: [...images] }),
    ...(query.text.trim() && { text: query.text.trim() }),
    ...(asks && query.without.trim() && { without: query.without.trim() }),
    ...(asks && query.without.trim() && { withoutWeight: query.withoutWeight }),
    ...(mixes && method && { method }),
    ...(mixes && query.weight !== undefined && { weight: query.weight }),
    ...(more.length > 0 && { more: [...more] }),
    ...(less.length > 0 && { less: [...less] }),
    ...(!asks && { vector: randomDirection(dimensions, seed) }),
    ...(filter && { filter }),
    ...(asks && minScore !== undefined && { minScore }),
    ...(unique && { unique }),
    fields: ['path', 'folder', 'metadata'],
  } as SearchRequest;
}

/** A direction by chance (mulberry32). */
function randomDirection(dimensions: number, seed: number): number[] {
  let state = seed;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return Array.from({ length: dimensions }, () => next() + next() + next() - 1.5);
}
