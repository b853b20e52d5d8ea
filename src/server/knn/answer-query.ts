/** Answers queries of clip-retrieval's protocol, with the service behind API v1. */

import type { ImageReference, SearchRequest } from '../../api/index.ts';
import type { RequestScope, SearchService } from '../../service/index.ts';
import { placeAt } from './addresses.ts';
import { columnsOf, type KnnResult, resultOf } from './answers.ts';
import { firstOfDuplicates } from './deduplicate.ts';
import { type KnnQuery, webReference } from './requests.ts';

/** Answers a query: the nearest images, the first of them with their columns. */
export async function answerQuery(
  service: SearchService,
  { described, deduplicate, results: limit, ...asked }: KnnQuery,
  backend: string,
  scope: RequestScope,
): Promise<{ readonly results: readonly KnnResult[]; readonly timings: Readonly<Record<string, number>> }> {
  const index = asked.index ?? service.names[0]!;
  if (limit === 0) return { results: [], timings: {} };
  const begin = performance.now();
  const query = await queryOf(service, asked, index, backend, scope);
  const ready = performance.now();
  const answer = await service.search(
    {
      ...{ ...query, index, limit },
      fields: ['path', 'metadata', ...(deduplicate ? (['vector'] as const) : [])],
    },
    scope,
  );
  const searched = performance.now();
  const vectors = answer.images.map(({ vector = [] }) => vector);
  const found = deduplicate ? await firstOfDuplicates(answer.images, vectors, scope) : answer.images;
  const timings = {
    ...{ query: ready - begin, ...answer.timings },
    ...(deduplicate && { deduplicate: performance.now() - searched }),
  };
  const length = asked.vector ? lengthOf(asked.vector) : 1;
  const results = found.map((one, at) =>
    resultOf(one, at < described ? columnsOf(one, index, backend) : undefined, length),
  );
  return { results, timings };
}

/** The query that a request means, for API v1. */
async function queryOf(
  service: SearchService,
  { text, image, vector }: Pick<KnnQuery, 'text' | 'image' | 'vector'>,
  index: string,
  backend: string,
  scope: RequestScope,
): Promise<Pick<SearchRequest, 'images' | 'text' | 'method' | 'vector' | 'includeReferences'>> {
  if (image) {
    const images = [await referenceOf(service, image, index, backend, scope)];
    // Its clients expect an image to find itself, but nobody wants it back with a change.
    if (text === undefined) return { images, includeReferences: true };
    // Without a phi, the mean of both directions is what there is.
    const { methods } = await service.describe(index);
    return { images, text, method: methods.includes('lincir') ? 'lincir' : 'sum' };
  }
  if (text === undefined) return { vector: [...vector!] };
  // Its clients search by captions of any length, and a `$` in them is a dollar sign.
  const { texts } = await service.embed({ index, texts: [text], truncate: true }, scope);
  return { vector: texts![0]! };
}

/** The image of a query. An address of this server, as the front sends back, is an image of an index. */
async function referenceOf(
  service: SearchService,
  image: NonNullable<KnnQuery['image']>,
  index: string,
  backend: string,
  scope: RequestScope,
): Promise<ImageReference> {
  if ('data' in image) return image;
  const place = placeAt(image.address, backend);
  if (place === undefined) return webReference(image.address);
  if (place.index === index) return { id: place.id };
  const { bytes } = await service.original(place.index, place.id, scope);
  return { data: Buffer.from(bytes).toString('base64') };
}

function lengthOf(vector: readonly number[]): number {
  return Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
}
