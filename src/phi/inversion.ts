/** Textual inversion: finds for each image, by gradient descent, the pseudo token with which a prompt describes it best. */

import { z } from 'zod';
import {
  type Clip,
  computePrefix,
  joinParts,
  placeholderWord,
  type TextConfig,
  type TextTokenizer,
} from '../clip/index.ts';
import { type Float32Tensor, LincirError, normals, quoted, sha256, unquoted } from '../core/index.ts';
import type { RunTensor, SessionOptions } from '../onnx/index.ts';
import { CountedSession, inversionGraph, towerBatches } from './graphs.ts';
import { adamW, moveAverage } from './optimizer.ts';

/** Everything that a pseudo token depends on, besides its image, the image's key and the model. */
const settingsSchema = z.strictObject({
  steps: z.int('a whole number').min(1, 'at least 1').default(350),
  learningRate: z.number('a number').positive('a number above 0').default(2e-2),
  weightDecay: z.number('a number').min(0, 'at least 0').default(0.01),
  /** Decay of a pseudo token's moving average: the part that it keeps at each step. */
  averageDecay: z.number('a number').min(0, 'at least 0').lt(1, 'below 1').default(0.99),
  /** The prompt in which the pseudo token replaces `$`. */
  prompt: z.string().default('a photo of $'),
  /** Seed of the draws from which pseudo tokens start. */
  seed: z.int('a whole number').min(0, 'at least 0').default(0),
});

type InversionSettings = Omit<z.output<typeof settingsSchema>, 'prompt' | 'seed'>;

export interface InvertOptions {
  readonly clip: Pick<Clip, 'textConfig' | 'tokenizer' | 'checkpoint' | 'fingerprint'>;
  /** The images' embeddings, [n, projection], as CLIP gives them. Their lengths do not matter. */
  readonly embeddings: Float32Tensor;
  /** One for each image. An image's draw depends only on its key, not on the other images. Default: its row number. */
  readonly keys?: readonly string[];
  /** Default: `a photo of $` */
  readonly prompt?: string;
  readonly settings?: Partial<InversionSettings>;
  /** Default: 0 */
  readonly seed?: number;
  readonly device?: SessionOptions['device'];
  readonly threads?: number;
  /** Token positions computed at once. More of them need more memory. Default: 512 */
  readonly positionsPerRun?: number;
  readonly signal?: AbortSignal;
  /** Called with the number of images done. Unfinished images count in part; the sum is rounded down. */
  readonly onProgress?: (done: number) => void;
}

/** Images whose pseudo tokens are ready: their rows, and the tokens [members, width]. */
interface InvertedBatch {
  readonly members: readonly number[];
  readonly vectors: Float32Array;
}

/** Standard deviation of a pseudo token's first values. */
const initialDeviation = 0.02;
const moments = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 } as const;

/**
 * Optimisation-based textual inversion (Baldrati et al., "Zero-shot composed image retrieval with textual inversion",
 * ICCV 2023, section 3.1): AdamW on 1 - cos of the prompt's embedding with the image's; the result is the moving
 * average. This is the cosine term of the paper's loss with one fixed prompt, without the regularisation by a language
 * model's phrases.
 * @returns pseudo tokens [n, width], to stand in place of token embeddings
 * @throws LincirError 'bad-argument' for embeddings, keys, settings or a prompt that cannot be, 'bad-config' without a
 *   text tower or when a pseudo token is not finite, 'bad-file', 'device'; and an AbortError
 */
export async function invert(options: InvertOptions): Promise<Float32Tensor> {
  const { width } = options.clip.textConfig;
  const rows = options.embeddings.shape[0] ?? 0;
  const data = new Float32Array(rows * width);
  for await (const { members, vectors } of invertedBatches(options)) {
    members.forEach((row, at) => {
      data.set(vectors.subarray(at * width, (at + 1) * width), row * width);
    });
  }
  return { shape: [rows, width], data };
}

/** `invert`, but yields each batch when it is finished. */
export async function* invertedBatches(options: InvertOptions): AsyncGenerator<InvertedBatch, void, void> {
  const { clip, embeddings, device, threads, positionsPerRun = 512, signal, onProgress } = options;
  const { settings, keys } = checkedInversion(options);
  const { textConfig: config, tokenizer } = clip;
  const { ids, position } = promptTokens(settings.prompt, tokenizer);
  if (keys.length === 0) return;

  const rows = await Promise.all(
    keys.map(async (key) => {
      return { ids, injected: [{ position, vector: await initialVector(key, settings.seed, config.width) }] };
    }),
  );
  const model = { config, tensors: clip.checkpoint.tensors, startOfText: tokenizer.startOfText };
  const where = { device, threads };
  // Nothing before the pseudo token depends on it. So every step computes only it and what follows.
  const prefix = await computePrefix(model, ids.slice(0, position), where);
  const session = await CountedSession.create(inversionGraph(model), where);
  try {
    let done = 0;
    for (const { members, feeds, sizes } of towerBatches(rows, config, positionsPerRun, prefix)) {
      const { projection } = config;
      const wanted = new Float32Array(members.length * projection);
      members.forEach((row, at) => {
        wanted.set(embeddings.data.subarray(row * projection, (row + 1) * projection), at * projection);
      });
      const given = { ...feeds, wanted: { shape: [members.length, projection], data: wanted } };
      const gradientAt = async (vectors: Float32Array): Promise<Float32Array> => {
        signal?.throwIfAborted();
        const injected: RunTensor = { shape: [members.length, config.width], data: vectors };
        return (await session.run({ ...given, injected }, sizes)).gradient.data;
      };
      const begin = feeds.injected.data as Float32Array; // one for each row, in the order of `members`
      const vectors = await descend(begin, gradientAt, settings, (step) => {
        onProgress?.(Math.floor(done + (members.length * step) / settings.steps));
      });
      expectFinite(vectors, members, keys);
      done += members.length;
      yield { members, vectors };
    }
  } finally {
    await session.dispose();
  }
}

/** Fills in defaults of settings and keys. Throws 'bad-argument' for impossible settings, keys or embeddings. */
export function checkedInversion(options: InvertOptions) {
  const { clip, embeddings } = options;
  const settings = inversionSettings(options);
  const keys = options.keys ?? Array.from({ length: embeddings.shape[0] ?? 0 }, (_, row) => `${row}`);
  expectEmbeddings(embeddings, keys, clip.textConfig);
  return { settings, keys };
}

/** Fills in the defaults of settings. Throws 'bad-argument' for impossible ones. */
export function inversionSettings({
  settings,
  prompt,
  seed,
}: Pick<InvertOptions, 'settings' | 'prompt' | 'seed'>) {
  const given = { ...settings, prompt, seed };
  const { data, error } = settingsSchema.safeParse(given);
  if (data) return data;
  const { path, message } = error.issues[0]!;
  const subject = ['the inversion', ...path].join(': ');
  const found = unquoted(JSON.stringify(given));
  throw new LincirError('bad-argument', { subject, expected: message, found });
}

/** Runs AdamW from `vectors`, which it changes. Returns their moving average. */
async function descend(
  vectors: Float32Array,
  gradientAt: (vectors: Float32Array) => Promise<Float32Array>,
  { steps, learningRate, weightDecay, averageDecay }: InversionSettings,
  onStep: (step: number) => void,
): Promise<Float32Array> {
  const average = vectors.slice();
  const memory = { first: new Float32Array(vectors.length), second: new Float32Array(vectors.length) };
  for (let step = 1; step <= steps; step += 1) {
    const gradient = await gradientAt(vectors);
    adamW(vectors, gradient, memory, step, { ...moments, learningRate, weightDecay });
    moveAverage(average, vectors, averageDecay);
    onStep(step);
  }
  return average;
}

/** The first values of an image's pseudo token, by the image's key. */
async function initialVector(key: string, seed: number, width: number): Promise<Float32Array> {
  const hash = await sha256(key);
  const moment = hash.getUint32(0, true) + hash.getUint16(4, true) * 2 ** 32;
  const row = hash.getUint32(6, true);
  const values = normals({ seed, purpose: 'inversion', moment, row }, width);
  return values.map((value) => initialDeviation * value);
}

function promptTokens(
  prompt: string,
  tokenizer: TextTokenizer,
): { ids: readonly number[]; position: number } {
  const { ids, places } = joinParts(tokenizer, prompt.split(placeholderWord), tokenizer.encodePart);
  const fits = ids.length <= tokenizer.maximum;
  if (fits && places.length === 1) return { ids, position: places[0]! };
  throw new LincirError('bad-argument', {
    subject: `the prompt ${quoted(prompt)}`,
    expected: `one ${placeholderWord} among at most ${tokenizer.maximum} tokens`,
    found: fits ? `${places.length} of them` : 'more tokens',
  });
}

function expectEmbeddings(
  { shape, data }: Float32Tensor,
  keys: readonly string[],
  { projection }: TextConfig,
): void {
  const refuse = (subject: string, expected: string, found: string) =>
    new LincirError('bad-argument', { subject, expected, found });
  const [rows = 0] = shape;
  if (shape.length !== 2 || shape[1] !== projection || data.length !== rows * projection) {
    throw refuse('embeddings', `[n, ${projection}]`, `[${shape.join(', ')}] with ${data.length} values`);
  }
  if (keys.length !== rows) throw refuse('keys', `${rows}, one an embedding`, `${keys.length}`);
  for (const [row, key] of keys.entries()) {
    const values = data.subarray(row * projection, (row + 1) * projection);
    const square = values.reduce((sum, value) => sum + value * value, 0);
    if (square > 0 && Number.isFinite(square)) continue;
    throw refuse(`the embedding of image ${quoted(key)}`, 'one with a direction', `squares' sum ${square}`);
  }
}

function expectFinite(vectors: Float32Array, members: readonly number[], keys: readonly string[]): void {
  const bad = vectors.findIndex((value) => !Number.isFinite(value));
  if (bad < 0) return;
  const row = members[Math.floor(bad / (vectors.length / members.length))]!;
  throw new LincirError('bad-config', {
    subject: `the pseudo token of image ${quoted(keys[row])}`,
    expected: 'finite numbers',
    found: `${vectors[bad]}`,
    todo: "try a lower learning rate, or check the model's weights",
  });
}
