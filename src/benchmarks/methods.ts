/** The methods that are compared: from images and texts to one vector a query, many queries at a time. */

import type { Clip, TokenRow } from '../clip/index.ts';
import { composePrompt, plainText, slerp, slerpWeight, sum } from '../composition/index.ts';
import { type Float32Tensor, LincirError, normalizeRows } from '../core/index.ts';
import type { BenchmarkQuery, Prompt } from './benchmark.ts';
import type { ImageEmbeddings } from './embed-images.ts';
import { filled } from './prompts.ts';

/** `lincir`, `searle`, `pic2word` and `oti` put a word for the image into the prompt; the others need no training. */
export const evaluationMethods = [
  'lincir',
  'image',
  'text',
  'sum',
  'slerp',
  'searle',
  'pic2word',
  'oti',
] as const;
export type EvaluationMethod = (typeof evaluationMethods)[number];

/** A method, ready to be used. */
export interface MethodToEvaluate {
  /** Unique among those that are compared. */
  readonly name: string;
  /** What was chosen, for the record. */
  readonly settings: Readonly<Record<string, string | number | boolean | null>>;
  /** Makes a word of each image, or goes without words. */
  readonly way: MakeWords | { readonly mix: Baseline; readonly weight: number };
}

/** [pictures, projection], un-normalised, to [pictures, width], to stand in place of token embeddings. */
export type MakeWords = (embeddings: Float32Tensor, ids: readonly string[]) => Promise<Float32Tensor>;

export type Baseline = 'image' | 'text' | 'sum' | 'slerp';

/**
 * A way that needs no training. The sum is of normalised vectors.
 * @throws LincirError 'bad-argument' for a weight that is not from 0 to 1, or for a sum to 100
 */
export function baseline(mix: Baseline, weight = mix === 'slerp' ? slerpWeight : 1): MethodToEvaluate {
  const most = mix === 'slerp' ? 1 : 100;
  if (!(weight >= 0 && weight <= most)) {
    throw new LincirError('bad-argument', {
      subject: `weight of ${mix}`,
      expected: `a number from 0 to ${most}`,
      found: `${weight}`,
    });
  }
  return { name: mix, settings: mix === 'sum' || mix === 'slerp' ? { weight } : {}, way: { mix, weight } };
}

export interface ComposeAllOptions {
  readonly clip: Clip;
  readonly pictures: ImageEmbeddings;
  readonly prompt: Prompt;
  /** Vectors of texts alone, by text and prompt as JSON, which several methods read: those that are missing are added. */
  readonly texts?: Map<string, Float32Array> | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number) => void) | undefined;
}

/** Texts that are encoded between two looks at the progress. */
const rowsAtOnce = 512;

/**
 * Composes all queries by one method.
 * @returns [queries, projection], of length 1
 * @throws LincirError 'bad-argument' naming the query whose prompt is too long, 'bad-file' for parts that cancel out
 */
export async function composeAll(
  method: MethodToEvaluate,
  queries: readonly BenchmarkQuery[],
  options: ComposeAllOptions,
): Promise<Float32Array> {
  const { clip, pictures } = options;
  const { dimensions } = pictures;
  const picture = (id: string): Float32Array => {
    const row = pictures.rows.get(id)!;
    const vector = pictures.data.slice(row * dimensions, (row + 1) * dimensions);
    normalizeRows(vector, dimensions);
    return vector;
  };
  const vectors = new Float32Array(queries.length * dimensions);
  const { way } = method;
  if (typeof way === 'function') {
    const words = await wordsOf(way, queries, pictures);
    const rows = queries.map(({ id, reference, texts }) =>
      texts.map((text): TokenRow => {
        const { ids, places } = namingQuery(id, () =>
          composePrompt(filled(options.prompt.composed, text), 1, clip.tokenizer),
        );
        return { ids, injected: places.map(({ position }) => ({ position, vector: words.get(reference)! })) };
      }),
    );
    for (const [at, vector] of (await meanDirections(rows, clip, options)).entries()) {
      vectors.set(vector, at * dimensions);
    }
  } else {
    const texts = way.mix === 'image' ? undefined : await textVectors(queries, options);
    for (const [at, { reference, texts: own }] of queries.entries()) {
      vectors.set(mixed(way, picture(reference), texts?.get(textKey(own, options.prompt))), at * dimensions);
    }
  }
  normalizeRows(vectors, dimensions);
  for (const [at, { id }] of queries.entries()) {
    const vector = vectors.subarray(at * dimensions, (at + 1) * dimensions);
    if (vector.every(Number.isFinite) && vector.some((value) => value !== 0)) continue;
    throw new LincirError('bad-file', {
      subject: `query ${id}, method ${method.name}`,
      expected: 'a direction',
      found: 'a vector of zeros or of numbers that are not finite',
    });
  }
  return vectors;
}

function mixed(
  { mix, weight }: { readonly mix: Baseline; readonly weight: number },
  picture: Float32Array,
  text: Float32Array | undefined,
): Float32Array {
  if (mix === 'image' || text === undefined) return picture;
  if (mix === 'text') return text;
  return (mix === 'sum' ? sum : slerp)(picture, text, weight);
}

/** The words of the queries' references, each made once. */
async function wordsOf(
  way: MakeWords,
  queries: readonly BenchmarkQuery[],
  { data, dimensions, rows }: ImageEmbeddings,
): Promise<ReadonlyMap<string, Float32Array>> {
  const ids = [...new Set(queries.map(({ reference }) => reference))];
  const embeddings = new Float32Array(ids.length * dimensions);
  ids.forEach((id, at) => {
    const row = rows.get(id)!;
    embeddings.set(data.subarray(row * dimensions, (row + 1) * dimensions), at * dimensions);
  });
  const words = await way({ shape: [ids.length, dimensions], data: embeddings }, ids);
  const width = words.shape[1]!;
  return new Map(ids.map((id, at) => [id, words.data.subarray(at * width, (at + 1) * width)]));
}

/** The vectors of the queries' texts alone, each made once, by `textKey`. */
async function textVectors(
  queries: readonly BenchmarkQuery[],
  options: ComposeAllOptions,
): Promise<ReadonlyMap<string, Float32Array>> {
  const { clip, prompt, texts: known = new Map() } = options;
  const missing = new Map<string, readonly TokenRow[]>();
  for (const { id, texts } of queries) {
    const key = textKey(texts, prompt);
    if (known.has(key) || missing.has(key)) continue;
    const rows = texts.map((text) => {
      const { ids, truncated } = clip.tokenizer.encode(plainText(filled(prompt.text, text), 1));
      if (!truncated) return { ids };
      throw new LincirError('bad-argument', {
        subject: `query ${id}: its text`,
        expected: `at most ${clip.tokenizer.maximum} tokens`,
        found: 'more',
        todo: 'shorten it',
      });
    });
    missing.set(key, rows);
  }
  const vectors = await meanDirections([...missing.values()], clip, options);
  for (const [at, key] of [...missing.keys()].entries()) known.set(key, vectors[at]!);
  return known;
}

function textKey(texts: readonly string[], { text }: Prompt): string {
  return JSON.stringify([text, ...texts]);
}

/** Encodes the token rows of every item, and gives the mean direction of each item's: of length 1. */
async function meanDirections(
  items: readonly (readonly TokenRow[])[],
  clip: Clip,
  { signal, onProgress }: ComposeAllOptions,
): Promise<Float32Array[]> {
  const vectors: Float32Array[] = [];
  for (let begin = 0; begin < items.length; begin += rowsAtOnce) {
    const some = items.slice(begin, begin + rowsAtOnce);
    const { data, shape } = await clip.encodeTokens(some.flat());
    const dimensions = shape[1]!;
    normalizeRows(data, dimensions);
    let row = 0;
    for (const { length } of some) {
      const mean = new Float32Array(dimensions);
      for (const end = row + length; row < end; row += 1) {
        for (let at = 0; at < dimensions; at += 1) mean[at]! += data[row * dimensions + at]!;
      }
      normalizeRows(mean, dimensions);
      vectors.push(mean);
    }
    onProgress?.(vectors.length);
    signal?.throwIfAborted();
    await new Promise(setImmediate); // lets a signal come through
  }
  return vectors;
}

/** Names the query in what is wrong with its prompt. */
function namingQuery<Result>(id: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof LincirError)) throw error;
    const { subject } = error.problem;
    throw new LincirError(error.code, { ...error.problem, subject: `query ${id}: ${subject}` });
  }
}
