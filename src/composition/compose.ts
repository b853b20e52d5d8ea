/** Composes one query: turns images and words into one vector, with any method of the table. */

import type { Clip } from '../clip/index.ts';
import { type Float32Tensor, LincirError, option } from '../core/index.ts';
import type { ImageSource } from '../pixels/index.ts';
import { composeAll, defaultWithoutWeight, expectDirection, type PseudoTokenEncoder } from './batch.ts';
import { type Method, methods } from './choices.ts';
import { methodOf, weightOf } from './methods.ts';
import { composePrompt } from './prompt.ts';

/** An image whose embedding is known: its direction, and its length, or null if that is unknown. */
export interface EmbeddedImage {
  /** What errors call it. */
  readonly path: string;
  readonly vector: Float32Array;
  readonly norm: number | null;
}

/** A query's image: a path, a URL of a file, bytes or pixels, or an image of an index, whose embedding is known. */
export type Reference = ImageSource | EmbeddedImage;

export interface ComposeOptions {
  readonly clip: Clip;
  /** Turns images into pseudo tokens: a `Phi`, or an inversion. */
  readonly phi?: PseudoTokenEncoder;
  readonly images?: readonly Reference[];
  /** What should be different, or a whole prompt with `$`; see `composePrompt`. */
  readonly text?: string;
  /** See `methods`. Default: `lincir` for images with a text, else whatever is given. */
  readonly method?: Method;
  /** Of the text, in `sum` and `slerp`. Default: the method's own. */
  readonly weight?: number;
  /** What you do not want: the text's direction is subtracted. */
  readonly without?: string;
  /** How much of it is subtracted, relative to the query. Default 0.5. */
  readonly withoutWeight?: number;
}

/** A query that can be compared with embeddings of images by the same model. */
export interface Query {
  /** [dimensions], of length 1. */
  readonly vector: Float32Array;
  readonly method: Method;
  /** The text that the text tower read, with `$` for images. Absent if it read none. */
  readonly prompt?: string;
  /** Of the text, in `sum` and `slerp`. */
  readonly weight?: number;
  /** Weight of what is not wanted, if anything is. */
  readonly withoutWeight?: number;
  /** Fingerprint of the model. */
  readonly fingerprint: string;
  /** Milliseconds of each stage: encoding images, phi, encoding texts. */
  readonly timings: Readonly<Record<'images' | 'phi' | 'text', number>>;
}

/**
 * Composes a query.
 * @throws LincirError 'bad-argument' if images, text and method do not fit each other, what `composePrompt`
 *   throws, and 'bad-file', 'not-found' and 'io' for an image that cannot be read
 */
export async function compose(options: ComposeOptions): Promise<Query> {
  const { clip, phi, images = [], text = '', without, withoutWeight = defaultWithoutWeight } = options;
  const method = methodOf(options);
  const { needs, pseudoTokens } = methods[method];
  const weight = weightOf(method, options.weight);
  const written = needs.includes('text') ? text : undefined;
  const prompt = pseudoTokens ? composePrompt(text, images.length, clip.tokenizer).text : written;
  const begin = performance.now();
  const needsNorm = pseudoTokens !== undefined && !phi!.info.l2Normalize;
  const embeddings = await embeddingsOf(clip, needs.includes('image') ? images : [], needsNorm);
  const encoded = performance.now() - begin;
  const { vectors, timings } = await composeAll(
    method,
    [{ images: [...images.keys()], texts: [text], without }],
    { clip, embeddings, phi, weight, withoutWeight },
  );
  return {
    ...{ vector: vectors, method, fingerprint: clip.fingerprint },
    timings: { images: encoded, ...timings },
    ...(prompt !== undefined && { prompt }),
    ...(weight !== undefined && { weight }),
    ...(without !== undefined && { withoutWeight }),
  };
}

/** The images' embeddings as CLIP gives them: [images, dimensions]. Those of an index are not encoded again. */
async function embeddingsOf(
  clip: Clip,
  images: readonly Reference[],
  needsNorm: boolean,
): Promise<Float32Tensor> {
  const sources = images.filter((image): image is ImageSource => !isEmbedded(image));
  const dimensions = clip.textConfig.projection;
  const encoded = sources.length > 0 ? (await clip.encodeImages(sources)).data : new Float32Array();
  const data = new Float32Array(images.length * dimensions);
  let next = 0;
  for (const [at, image] of images.entries()) {
    const row = isEmbedded(image)
      ? asEncoded(image, needsNorm)
      : encoded.subarray(next * dimensions, (next + 1) * dimensions);
    if (!isEmbedded(image)) next += 1;
    expectDirection(row, `the embedding of image ${at + 1}`, { todo: 'use another model or index' });
    data.set(row, at * dimensions);
  }
  return { shape: [images.length, dimensions], data };
}

function isEmbedded(reference: Reference): reference is EmbeddedImage {
  return typeof reference === 'object' && 'vector' in reference;
}

/** An image's embedding as CLIP gives it. Throws LincirError 'bad-argument' if phi needs its length, and that is unknown. */
export function asEncoded({ path, norm, vector }: EmbeddedImage, needsNorm: boolean): Float32Array {
  if (norm !== null || !needsNorm) return vector.map((value) => value * (norm ?? 1));
  throw new LincirError('bad-argument', {
    subject: path,
    expected: 'an embedding as CLIP gives it, which phi needs',
    found: 'one that was indexed at length 1',
    todo: `give the image itself instead, or use ${option<ComposeOptions>('method', 'sum')}`,
  });
}
