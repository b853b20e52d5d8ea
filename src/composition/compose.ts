/** Composing: images and words to one vector, by phi (LinCIR) or by ways that need no training. */

import type { Clip } from '../clip/index.ts';
import { type Float32Tensor, LincirError, normalizeRows, quoted } from '../core/index.ts';
import { phiPresetFor } from '../hub/index.ts';
import type { Phi } from '../phi/index.ts';
import type { ImageSource } from '../pixels/index.ts';
import type { StoredImage } from '../store/index.ts';
import { slerp, slerpWeight, sum } from './mixing.ts';
import { composePrompt, namesImages, plainText } from './prompt.ts';

export const methods = ['lincir', 'image', 'text', 'sum', 'slerp'] as const;
export type Method = (typeof methods)[number];

/** An image of a query: a path, a URL of a file, bytes or pixels, or an image of an index, whose embedding is there already. */
export type Reference = ImageSource | Pick<StoredImage, 'path' | 'norm' | 'vector'>;

export interface ComposeOptions {
  readonly clip: Clip;
  /** What makes words of images; the method `lincir` needs it. */
  readonly phi?: Phi | undefined;
  readonly images?: readonly Reference[];
  /** What is to be different, or a prompt with `$`; see `composePrompt`. */
  readonly text?: string | undefined;
  /**
   * `lincir`: the prompt with phi's words for the images. `image`, `text`: these alone. `sum`: of the normalised vectors
   * of images and text. `slerp`: between them on the sphere. Default: `lincir` for images with a text, else what there is.
   */
  readonly method?: Method | undefined;
  /** Of the text in `slerp`, 0 to 1 (default 0.8; Jang et al., ECCV 2024), and in `sum`, from 0 (default 1). */
  readonly weight?: number | undefined;
  /** What is not wanted: its text's direction is subtracted. */
  readonly without?: string | undefined;
  /** How much of it, relative to the query. Default 0.5. */
  readonly withoutWeight?: number | undefined;
}

/** A query, ready to be compared with images' embeddings of the same model. */
export interface Query {
  /** [dimensions], of length 1. */
  readonly vector: Float32Array;
  readonly method: Method;
  /** What the text tower read, `$` standing for images; absent if it read nothing. */
  readonly prompt?: string;
  /** Of the text, in `sum` and `slerp`. */
  readonly weight?: number;
  /** Of what is not wanted, if anything is. */
  readonly withoutWeight?: number;
  /** The model's. */
  readonly fingerprint: string;
  /** Milliseconds of each stage: encoding images, phi, encoding texts. */
  readonly timings: Readonly<Record<'images' | 'phi' | 'text', number>>;
}

const defaultWithoutWeight = 0.5;
const phiAdvice = {
  todo: 'its training went wrong: take an earlier phi, or train one at a lower learning rate',
};

/**
 * Composes a query.
 * @throws LincirError 'bad-argument' for images, text and method that do not fit each other, what `composePrompt`
 *   throws, and 'bad-file', 'not-found' and 'io' for an image that cannot be read
 */
export async function compose(options: ComposeOptions): Promise<Query> {
  const { clip, phi, images = [], text, without, withoutWeight = defaultWithoutWeight } = options;
  const method = methodOf({ ...options, hasPhi: phi !== undefined, model: clip.id });
  const timings = { images: 0, phi: 0, text: 0 };
  const timed = async <T>(stage: keyof typeof timings, work: () => Promise<T>): Promise<T> => {
    const begin = performance.now();
    const result = await work();
    timings[stage] += performance.now() - begin;
    return result;
  };
  const textVector = async (words: string): Promise<Float32Array> =>
    (
      await timed('text', () =>
        clip.encodeTexts([plainText(words, images.length)], { normalize: true, strict: true }),
      )
    ).data;
  const needsNorm = method === 'lincir' && !phi!.info.l2Normalize;
  const pictures = () => timed('images', () => embeddingsOf(clip, images, needsNorm));

  let vector: Float32Array;
  let prompt: string | undefined;
  let weight: number | undefined;
  if (method === 'lincir') {
    const composed = composePrompt(text ?? '', images.length, clip.tokenizer);
    prompt = composed.text;
    const embeddings = await pictures();
    const { shape, data } = await timed('phi', () => phi!.encode(embeddings));
    expectDirection(data, 'what phi makes of the images', phiAdvice);
    const width = shape[1]!;
    const injected = composed.places.map(({ position, picture }) => ({
      position,
      vector: data.subarray(picture * width, (picture + 1) * width),
    }));
    const row = { ids: composed.ids, injected };
    vector = (await timed('text', () => clip.encodeTokens([row]))).data;
  } else if (method === 'image') {
    vector = meanOf(await pictures());
  } else if (method === 'text') {
    prompt = text!;
    vector = await textVector(text!);
  } else {
    prompt = text!;
    weight = options.weight ?? (method === 'sum' ? 1 : slerpWeight);
    const mix = method === 'sum' ? sum : slerp;
    vector = mix(meanOf(await pictures()), await textVector(text!), weight);
  }
  normalizeRows(vector, vector.length);
  if (without !== undefined) {
    vector = sum(vector, await textVector(without), -withoutWeight);
    normalizeRows(vector, vector.length);
  }
  expectDirection(vector, 'the query', {
    zeros: 'parts that cancel each other out',
    todo: 'change a weight or a text',
  });
  const { fingerprint } = clip;
  return {
    ...{ vector, method, fingerprint, timings },
    ...(prompt !== undefined && { prompt }),
    ...(weight !== undefined && { weight }),
    ...(without !== undefined && { withoutWeight }),
  };
}

/** @throws LincirError 'bad-argument' for numbers that have no direction, and so are near to nothing */
export function expectDirection(
  vector: Float32Array,
  subject: string,
  { zeros = 'only zeros', todo }: { readonly zeros?: string; readonly todo?: string } = {},
): void {
  const areNumbers = vector.every(Number.isFinite);
  if (areNumbers && vector.some((value) => value !== 0)) return;
  throw new LincirError('bad-argument', {
    subject,
    expected: 'a direction',
    found: areNumbers ? zeros : 'numbers that are not finite',
    ...(todo !== undefined && { todo }),
  });
}

/** What decides on a method. */
export interface MethodOptions
  extends Pick<ComposeOptions, 'text' | 'without' | 'method' | 'weight' | 'withoutWeight'> {
  readonly images?: readonly unknown[];
  readonly hasPhi: boolean;
  /** The model's id: with it, what is missing can be named. */
  readonly model?: string | undefined;
}

/** The method that the options mean, if they have all that it needs. Throws LincirError 'bad-argument'. */
export function methodOf({
  images = [],
  text,
  without,
  method,
  weight,
  withoutWeight,
  hasPhi,
  model,
}: MethodOptions): Method {
  const refuse = (subject: string, expected: string, found: string, todo?: string) =>
    new LincirError('bad-argument', { subject, expected, found, ...(todo && { todo }) });
  const has = { image: images.length > 0, text: text !== undefined };
  if (!has.image && !has.text) {
    throw refuse('a query', 'an image, a text, or both', 'neither', 'give --image, --text or both');
  }
  for (const [subject, words] of [
    ['the text', text],
    ['what is not wanted', without],
  ] as const) {
    if (words?.trim() !== '') continue;
    throw refuse(subject, 'words', 'none', 'leave it out');
  }
  const chosen = method ?? (has.image && has.text ? 'lincir' : has.image ? 'image' : 'text');
  const needs = {
    lincir: ['image'],
    image: ['image'],
    text: ['text'],
    sum: ['image', 'text'],
    slerp: ['image', 'text'],
  } as const;
  for (const need of needs[chosen]) {
    if (!has[need]) throw refuse(`method ${chosen}`, need === 'image' ? 'an image' : 'a text', 'none');
  }
  if (chosen === 'lincir' && !hasPhi) {
    const published = phiPresetFor(model);
    const known = published && `--phi ${published.name} (${published.description}; ${published.licence}), `;
    throw refuse(
      'method lincir',
      'phi, which makes a word of an image',
      'none',
      `give ${known ?? ''}--phi FILE, or --method sum to go without`,
    );
  }
  const advice = 'or write \\$ for a dollar sign';
  if (chosen !== 'lincir' && has.text && namesImages(text!, images.length)) {
    const todo = `${has.image ? 'use --method lincir' : 'give an image with --image'}, ${advice}`;
    throw refuse(`method ${chosen}`, 'a text without $', quoted(text!), todo);
  }
  if (without !== undefined && namesImages(without, images.length)) {
    throw refuse('what is not wanted', 'a text without $', quoted(without), `leave it out, ${advice}`);
  }
  if (weight !== undefined && chosen !== 'sum' && chosen !== 'slerp') {
    throw refuse('weight', 'the method sum or slerp', chosen, 'leave it out, or choose one of these methods');
  }
  if (withoutWeight !== undefined && without === undefined) {
    throw refuse(
      'withoutWeight',
      'something that is not wanted',
      'nothing',
      'leave it out, or say without what',
    );
  }
  if (weight !== undefined && !(weight >= 0 && weight <= (chosen === 'slerp' ? 1 : 100))) {
    throw refuse(
      'weight',
      chosen === 'slerp' ? 'a number from 0 to 1' : 'a number from 0 to 100',
      `${weight}`,
    );
  }
  if (withoutWeight !== undefined && !(withoutWeight >= 0 && withoutWeight <= 100)) {
    throw refuse('withoutWeight', 'a number from 0 to 100', `${withoutWeight}`);
  }
  return chosen;
}

/** The images' embeddings as CLIP gives them: [pictures, dimensions]. Those of an index are not encoded again. */
async function embeddingsOf(
  clip: Clip,
  images: readonly Reference[],
  needsNorm: boolean,
): Promise<Float32Tensor> {
  const sources = images.filter((image): image is ImageSource => !isStored(image));
  const encoded =
    sources.length > 0 ? await clip.encodeImages(sources) : { shape: [0, 0], data: new Float32Array() };
  let next = 0;
  const rows = images.map((image) => {
    if (isStored(image)) return asEncoded(image, needsNorm);
    next += 1;
    return encoded.data.slice((next - 1) * encoded.shape[1]!, next * encoded.shape[1]!);
  });
  const dimensions = rows[0]!.length;
  const data = new Float32Array(rows.length * dimensions);
  rows.forEach((row, at) => {
    expectDirection(row, `the embedding of image ${at + 1}`, { todo: 'use another model or index' });
    data.set(row, at * dimensions);
  });
  return { shape: [rows.length, dimensions], data };
}

type Stored = Exclude<Reference, ImageSource>;

function isStored(reference: Reference): reference is Stored {
  return typeof reference === 'object' && 'vector' in reference;
}

function asEncoded({ path, norm, vector }: Stored, needsNorm: boolean): Float32Array {
  if (norm !== null || !needsNorm) return vector.map((value) => value * (norm ?? 1));
  throw new LincirError('bad-argument', {
    subject: path,
    expected: 'an embedding as CLIP gives it, which phi needs',
    found: 'one that was indexed at length 1',
    todo: 'give the image itself instead, or use --method sum',
  });
}

/** The mean direction of rows: [dimensions], of length 1. */
function meanOf({ shape, data }: Float32Tensor): Float32Array {
  const dimensions = shape[1]!;
  normalizeRows(data, dimensions);
  const mean = new Float32Array(dimensions);
  data.forEach((value, at) => {
    mean[at % dimensions]! += value;
  });
  normalizeRows(mean, dimensions);
  return mean;
}
