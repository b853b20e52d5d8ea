/** Writes images as answers: the fields that were asked for. */

import { setImmediate as otherWork } from 'node:timers/promises';
import type { FoundImage, IndexedImage, imageFields } from '../api/index.ts';
import type { Metadata } from '../store/index.ts';

type Field = (typeof imageFields)[number];

/** What is known of an image: of one in a list of results, not everything. */
interface KnownFacts {
  readonly id: string;
  readonly path: string;
  readonly folder: string;
  readonly hash: string;
  readonly size?: number;
  readonly modified?: number;
  readonly metadata: Metadata;
  readonly vector?: Float32Array;
}

/** What is known of a result. */
interface FoundFacts extends KnownFacts {
  readonly score: number;
  readonly duplicates?: readonly (KnownFacts & { readonly score: number })[];
}

const defaultFields: readonly Field[] = ['path', 'folder', 'hash', 'metadata'];

/** An image with the asked fields: all but the vector by default. */
export function imageAnswer(image: KnownFacts, fields: readonly Field[] = defaultFields): IndexedImage {
  const has = (field: Field) => fields.includes(field);
  const { id, path, folder, hash, size, modified, metadata, vector } = image;
  return {
    id,
    ...(has('path') && { path }),
    ...(has('folder') && { folder }),
    ...(has('hash') && { hash }),
    ...(size !== undefined && { size }),
    ...(modified !== undefined && { modified }),
    ...(has('metadata') && { metadata }),
    ...(has('vector') && vector !== undefined && { vector: [...vector] }),
  };
}

/** Results that are written without a pause: others have their turn between. */
const resultsAtOnce = 1000;

/** The results of a search. */
export async function foundAnswers(
  hits: readonly FoundFacts[],
  fields: readonly Field[] | undefined,
): Promise<FoundImage[]> {
  const found: FoundImage[] = [];
  for (let begin = 0; begin < hits.length; begin += resultsAtOnce) {
    if (begin > 0) await otherWork();
    for (const hit of hits.slice(begin, begin + resultsAtOnce)) found.push(foundAnswer(hit, fields));
  }
  return found;
}

function foundAnswer(hit: FoundFacts, fields: readonly Field[] | undefined): FoundImage {
  const duplicates = hit.duplicates?.map(({ id, score, path }) => ({
    ...{ id, score },
    ...((fields ?? defaultFields).includes('path') && { path }),
  }));
  return { ...imageAnswer(hit, fields), score: hit.score, ...(duplicates && { duplicates }) };
}
