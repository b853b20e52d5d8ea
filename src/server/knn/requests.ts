/** Requests of clip-retrieval's protocol, and the queries of ours that they mean. */

import { z } from 'zod';
import { type ImageReference, imageId, limits } from '../../api/index.ts';
import { LincirError } from '../../core/index.ts';

/** Images up to which it counts, and to which larger numbers are cut, as clients ask for more than there are. */
const most = limits.results;
/** Of a web address. One with the image in it may be longer. */
const addressCharacters = 4096;

const count = z.int().min(0);

/** The fields that count here. All others are taken and change nothing, as where no such model is loaded. */
export const knnRequest = z.object({
  modality: z.string(),
  indice_name: z.string().max(64).nullable(),
  num_images: count,
  num_result_ids: count.nullish(),
  text: z.string().nullish(),
  image: z.string().nullish(),
  image_url: z.string().nullish(),
  embedding_input: z.array(z.number()).min(1).max(limits.dimensions).nullish(),
  deduplicate: z.boolean().nullish(),
});

export const metadataRequest = z.object({
  ids: z.array(imageId).max(most),
  indice_name: z.string().max(64).nullish(),
});

export type KnnRequest = z.infer<typeof knnRequest>;

/** What a request of the protocol asks for. */
export interface KnnQuery {
  readonly index: string | undefined;
  readonly text: string | undefined;
  readonly vector: readonly number[] | undefined;
  /** The image as the client gave it: its bytes in base64, or an address. */
  readonly image: { readonly data: string } | { readonly address: string } | undefined;
  /** How many results there are, and how many of them come with their columns. */
  readonly results: number;
  readonly described: number;
  readonly deduplicate: boolean;
}

/**
 * Reads a request. Of several images or vectors, the first counts, in the protocol's order. A text and an image make one
 * query: in the protocol itself the text alone would count, and none of its clients sends both.
 * @throws LincirError 'bad-argument' for a request without a query
 */
export function knnQuery(request: KnnRequest): KnnQuery {
  const { num_images: described, indice_name: index, embedding_input: vector } = request;
  const results = Math.min(request.num_result_ids ?? described, most);
  const asked = { index: index || undefined, results, described, deduplicate: request.deduplicate ?? false };
  // Only so much of it is read.
  const text = request.text?.trim().slice(0, limits.textCharacters) || undefined;
  const image = imageOf(request);
  if (text !== undefined || image) return { ...asked, text, image, vector: undefined };
  if (vector) return { ...asked, text, image, vector };
  throw new LincirError('bad-argument', {
    subject: 'the request',
    expected: 'one of text, image, image_url and embedding_input',
    found: 'none',
  });
}

/** An image in base64, as it is or in a data: address, or elsewhere. The service measures it before it decodes it. */
function imageOf({ image, image_url: address }: KnnRequest): KnnQuery['image'] {
  const given = image || address || undefined;
  if (given === undefined) return undefined;
  const [head] = /^data:[^,]{0,200};base64,/i.exec(given) ?? [];
  if (image || head !== undefined) return { data: given.slice(head?.length ?? 0) };
  if (given.length <= addressCharacters) return { address: given };
  throw new LincirError('bad-argument', {
    subject: 'image_url',
    expected: `at most ${addressCharacters} characters`,
    found: `${given.length}`,
  });
}

/** An image's web address as a reference. Throws 'bad-argument' for an address of another kind. */
export function webReference(address: string): ImageReference {
  if (/^https?:\/\//i.test(address) && URL.canParse(address)) return { url: address };
  throw new LincirError('bad-argument', {
    subject: 'image_url',
    expected: 'an address on the web, or the image itself as data:…;base64,…',
    found: 'something else',
  });
}
