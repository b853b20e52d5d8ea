/** Composes many queries at once. Only here do images and texts become a query's vector. */

import type { Clip, TextTokenizer, TokenRow } from '../clip/index.ts';
import { type Float32Tensor, LincirError, normalizeRows, quoted } from '../core/index.ts';
import { type Method, methods } from './choices.ts';
import { expectPhi, weightOf } from './methods.ts';
import { directionOf, meanDirection, sum } from './mixing.ts';
import { composePrompt, plainText } from './prompt.ts';

/** Turns image embeddings into pseudo tokens: a phi, or an inversion. */
export interface PseudoTokenEncoder {
  /** @param embeddings [n, projection], as CLIP gives them. Returns [n, width], to replace token embeddings. */
  readonly encode: (embeddings: Float32Tensor) => Promise<Float32Tensor>;
  /** Whether it scales embeddings to length 1, so that their lengths do not matter. */
  readonly info: { readonly l2Normalize: boolean };
}

/** One query of many. */
interface QueryParts {
  /** Its name in errors. */
  readonly name?: string;
  /** Rows of the embeddings. */
  readonly images: readonly number[];
  /** The text or the prompt. The query is the mean direction of several wordings. */
  readonly texts: readonly string[];
  readonly without?: string;
}

/** What composing asks of a model. */
export type ComposingModel = Pick<Clip, 'textConfig' | 'tokenizer' | 'encodeTokens'>;

interface ComposeAllOptions {
  readonly clip: ComposingModel;
  /** [images, projection], as CLIP gives them. */
  readonly embeddings: Float32Tensor;
  /** Makes the pseudo tokens, for the methods that need them. */
  readonly phi?: PseudoTokenEncoder;
  /** Weight of the text. Default: the method's own. */
  readonly weight?: number;
  readonly withoutWeight?: number;
  /** Shared by several calls, so that texts are encoded once. */
  readonly known?: KnownTexts;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number) => void;
  /**
   * Called for a query that cannot be composed, with its index from 0. Its vector is zeros. Without this callback, the first
   * such query ends the call with its error.
   */
  readonly onFailed?: (error: LincirError, index: number) => void;
}

/** By the text. */
export type KnownTexts = Map<string, TextToEncode>;

/** A row for the text tower, and its direction once it is known. */
interface TextToEncode extends TokenRow {
  direction?: Float32Array;
}

interface ComposedQueries {
  /** [queries, projection], of length 1. */
  readonly vectors: Float32Array;
  /** Milliseconds of each stage. */
  readonly timings: Readonly<Record<'phi' | 'text', number>>;
}

export const defaultWithoutWeight = 0.5;
/** Texts encoded between two reports of progress. */
const rowsAtOnce = 512;

/**
 * Composes queries with one method. On a CPU, a query's vector is the same, bit for bit, whatever other queries there are.
 * @throws LincirError 'bad-argument' naming the query: for a text that does not fit, and for one without a direction
 */
export async function composeAll(
  method: Method,
  queries: readonly QueryParts[],
  options: ComposeAllOptions,
): Promise<ComposedQueries> {
  const { clip, embeddings, known = new Map(), withoutWeight = defaultWithoutWeight } = options;
  const { needs, pseudoTokens, mix } = methods[method];
  const weight = weightOf(method, options.weight) ?? 0;
  expectPhi(method, options.phi);
  const { projection } = clip.textConfig;

  const begin = performance.now();
  const tokenOf = pseudoTokens && (await pseudoTokensOf(queries, embeddings, options.phi!));
  const made = performance.now();
  const textsOf = (query: QueryParts): TextToEncode[] => {
    if (tokenOf) return query.texts.map((text) => promptWith(tokenOf, text, query, clip));
    return needs.includes('text') ? query.texts.map((text) => plain(text, query, clip, known)) : [];
  };
  const { onFailed } = options;
  const parts = queries.flatMap((query, at) =>
    unlessFailed(at, onFailed, () =>
      naming(query.name, () => ({
        ...{ ...query, at },
        texts: textsOf(query),
        unwanted: query.without === undefined ? undefined : plain(query.without, query, clip, known),
      })),
    ),
  );
  const all = new Set(parts.flatMap(({ texts, unwanted }) => (unwanted ? [...texts, unwanted] : texts)));
  const { signal, onProgress } = options;
  await encode([...all], clip, signal, (part) => onProgress?.(Math.floor(part * queries.length)));
  const timings = { phi: made - begin, text: performance.now() - made };

  const vectors = new Float32Array(queries.length * projection);
  for (const { at, name, images, texts, unwanted } of parts) {
    const image = meanDirection(images.map((row) => rowOf(embeddings, row)));
    const vector = mix(image, meanDirection(texts.map(({ direction }) => direction!)), weight).slice();
    normalizeRows(vector, projection);
    if (unwanted) {
      vector.set(sum(vector, unwanted.direction!, -withoutWeight));
      normalizeRows(vector, projection);
    }
    const about = { zeros: 'parts that cancel each other out', todo: 'change a weight or a text' };
    const isSound = unlessFailed(at, onFailed, () => expectDirection(vector, name ?? 'the query', about));
    if (isSound.length > 0) vectors.set(vector, at * projection);
  }
  return { vectors, timings };
}

/** @throws LincirError 'bad-argument' for texts that the method cannot encode, which `composeAll` would refuse */
export function expectTexts(
  method: Method,
  { images, text, without }: { images: number; text?: string; without?: string },
  { tokenizer }: Pick<Clip, 'tokenizer'>,
): void {
  const { needs, pseudoTokens } = methods[method];
  if (pseudoTokens) composePrompt(text ?? '', images, tokenizer);
  else if (needs.includes('text')) idsOf(plainText(text ?? '', images), text ?? '', tokenizer);
  if (without !== undefined) idsOf(plainText(without, images), without, tokenizer);
}

/** @throws LincirError 'bad-argument' for numbers without a direction, which are near to nothing */
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
    todo,
  });
}

/** The pseudo tokens of the queries' images, by row: each is made once. */
async function pseudoTokensOf(
  queries: readonly QueryParts[],
  embeddings: Float32Tensor,
  phi: PseudoTokenEncoder,
): Promise<(row: number) => Float32Array> {
  const rows = [...new Set(queries.flatMap(({ images }) => images))];
  const size = embeddings.shape[1]!;
  const data = new Float32Array(rows.length * size);
  for (const [at, row] of rows.entries()) data.set(rowOf(embeddings, row), at * size);
  const tokens = await phi.encode({ shape: [rows.length, size], data });
  const places = new Map(rows.map((row, at) => [row, at]));
  return (row) => rowOf(tokens, places.get(row)!);
}

/** A prompt in which a query's pseudo tokens stand for its images. */
function promptWith(
  tokenOf: (row: number) => Float32Array,
  text: string,
  { images }: QueryParts,
  { tokenizer }: ComposingModel,
): TextToEncode {
  const { ids, places } = composePrompt(text, images.length, tokenizer);
  const injected = places.map(({ position, picture }) => ({ position, vector: tokenOf(images[picture]!) }));
  for (const { vector } of injected) {
    expectDirection(vector, 'the pseudo token of an image', {
      todo: "phi's training went wrong: take an earlier phi, or train one at a lower learning rate",
    });
  }
  return { ids, injected };
}

/** A text without pseudo tokens. */
function plain(
  text: string,
  { images }: QueryParts,
  { tokenizer }: ComposingModel,
  known: KnownTexts,
): TextToEncode {
  const words = plainText(text, images.length);
  const found = known.get(words);
  if (found) return found;
  const added = { ids: idsOf(words, text, tokenizer) };
  known.set(words, added);
  return added;
}

/** Throws LincirError 'bad-argument' for a text that is too long. */
function idsOf(words: string, text: string, tokenizer: TextTokenizer): readonly number[] {
  const { ids, truncated } = tokenizer.encode(words);
  if (!truncated) return ids;
  const expected = `at most ${tokenizer.maximum} tokens`;
  const subject = `the text ${quoted(text)}`;
  throw new LincirError('bad-argument', { subject, expected, found: 'more', todo: 'shorten it' });
}

/** Finds the directions of texts, each as if it were alone. */
async function encode(
  texts: readonly TextToEncode[],
  clip: ComposingModel,
  signal: AbortSignal | undefined,
  onProgress: (part: number) => void,
): Promise<void> {
  const missing = texts.filter(({ direction }) => direction === undefined);
  let done = 0;
  const shortestFirst = missing.toSorted((a, b) => a.ids.length - b.ids.length);
  while (done < shortestFirst.length) {
    const some = shortestFirst.slice(done, done + rowsAtOnce);
    const encoded = await clip.encodeTokens(some, true);
    for (const [row, text] of some.entries()) text.direction = directionOf(rowOf(encoded, row));
    done += some.length;
    onProgress(done / missing.length);
    signal?.throwIfAborted();
    if (done < missing.length) await new Promise((resolve) => setTimeout(resolve)); // lets a signal come through
  }
}

function rowOf({ shape, data }: Float32Tensor, row: number): Float32Array {
  return data.subarray(row * shape[1]!, (row + 1) * shape[1]!);
}

/** What the work returns; nothing if it failed, and `onFailed` takes its error. */
function unlessFailed<Result>(
  at: number,
  onFailed: ComposeAllOptions['onFailed'],
  work: () => Result,
): [] | [Result] {
  try {
    return [work()];
  } catch (error) {
    if (!onFailed || !(error instanceof LincirError)) throw error;
    onFailed(error, at);
    return [];
  }
}

/** Adds the query's name to an error about its text. */
function naming<Result>(name: string | undefined, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof LincirError) || name === undefined) throw error;
    const { subject } = error.problem;
    throw new LincirError(error.code, { ...error.problem, subject: `${name}: ${subject}` });
  }
}
