/** Measures what int8 costs and saves on a model: embeddings, neighbours and speed, held against float32. */

import {
  type Clip,
  calibrationPictures,
  loadClip,
  picturesToCalibrate,
  preprocessImage,
} from '../clip/index.ts';
import { isPassing, LincirError, normalizeRows, option, uniforms } from '../core/index.ts';
import type { ImageSource } from '../pixels/index.ts';

export interface EightBitLoss {
  readonly images: number;
  /** Cosines of each image's two embeddings. */
  readonly cosine: { readonly mean: number; readonly worst: number };
  /**
   * The part of each image's nearest that is the same, on average. Undefined for fewer than twice as many images as neighbours.
   */
  readonly overlap: number | undefined;
  readonly neighbours: number;
  /** Products that stay float32, such as `encoder.layers.3.mlp.fc2`. */
  readonly exact: readonly string[];
  /** How many times as fast the tower encodes. */
  readonly speedup: number;
  /** Seconds of choosing scales and rounding weights. */
  readonly preparation: number;
}

export interface EightBitLossOptions {
  readonly model: string;
  /** At least one. Default: drawn ones, other than those that calibrate. */
  readonly images?: readonly ImageSource[];
  readonly threads?: number;
}

/** What docs/search.md promises of int8: the least cosine of an image's two embeddings, and the least overlap. */
export const leastOfEightBits = { cosine: 0.99, overlap: 0.8 } as const;

const neighbours = 10;
const drawn = 40;
/** Passes of each side that count, in turns. */
const rounds = 5;

/**
 * The images that can be decoded; the others are told. Says so before anything is encoded.
 * @throws LincirError as `loadClip` does, 'bad-config' for a model without a vision tower, 'bad-file' if no image is left
 */
export async function readableImages(
  model: string,
  images: readonly string[] | undefined,
  onBroken: (error: LincirError) => void,
): Promise<readonly string[] | undefined> {
  const clip = await loadClip(model);
  try {
    const { preprocessing } = clip;
    if (images === undefined) return undefined;
    const readable: string[] = [];
    for (const image of images) {
      try {
        await preprocessImage(image, preprocessing);
        readable.push(image);
      } catch (error) {
        if (!(error instanceof LincirError) || isPassing(error)) throw error;
        onBroken(error);
      }
    }
    if (readable.length > 0) return readable;
  } finally {
    await clip.dispose();
  }
  throw new LincirError('bad-file', {
    subject: option<EightBitLossOptions>('images'),
    expected: 'at least one image that can be read',
    found: 'broken ones only',
    todo: 'give others',
  });
}

/** @throws LincirError as `loadClip` and `Clip.encodeImages` do */
export async function eightBitLoss({ model, images, threads }: EightBitLossOptions): Promise<EightBitLoss> {
  const [exact, rounded] = await Promise.all([
    loadClip(model, { threads }),
    loadClip(model, { threads, precision: 'int8' }),
  ]);
  try {
    const began = performance.now();
    const left = await rounded.exactProducts();
    const preparation = (performance.now() - began) / 1000;
    const sources = images ?? calibrationPictures(picturesToCalibrate + drawn).slice(picturesToCalibrate);
    const [wanted, found] = [await unitRows(exact, sources), await unitRows(rounded, sources)];
    const size = exact.visionConfig.projection;
    const row = (all: Float32Array, at: number) => all.subarray(at * size, (at + 1) * size);
    const cosines = sources.map((_, at) => dot(row(wanted, at), row(found, at)));
    const nearest = (all: Float32Array, at: number): number[] =>
      sources
        .map((_, other) => ({ other, score: dot(row(all, at), row(all, other)) }))
        .filter(({ other }) => other !== at)
        .sort((a, b) => b.score - a.score)
        .slice(0, neighbours)
        .map(({ other }) => other);
    const shared = sources.map((_, at) => {
      const before = new Set(nearest(wanted, at));
      return nearest(found, at).filter((other) => before.has(other)).length / neighbours;
    });
    return {
      images: sources.length,
      cosine: { mean: mean(cosines), worst: Math.min(...cosines) },
      overlap: sources.length < 2 * neighbours ? undefined : mean(shared),
      neighbours,
      exact: left,
      speedup: await speedupOf(exact, rounded),
      preparation,
    };
  } finally {
    await Promise.all([exact.dispose(), rounded.dispose()]);
  }
}

async function unitRows(clip: Clip, images: readonly ImageSource[]): Promise<Float32Array> {
  const { data } = await clip.encodeImages(images);
  normalizeRows(data, clip.visionConfig.projection);
  return data;
}

/** The median of the rounds' ratios, so that a machine whose speed changes treats both alike. */
async function speedupOf(exact: Clip, rounded: Clip): Promise<number> {
  const { channels, imageSize } = exact.visionConfig;
  const length = exact.picturesPerRun * channels * imageSize ** 2;
  const pixels = uniforms({ seed: 0, purpose: 'calibration', moment: 1, row: 0 }, length);
  const seconds = async (clip: Clip): Promise<number> => {
    const began = performance.now();
    await clip.encodePixels(pixels);
    return performance.now() - began;
  };
  const ratios: number[] = [];
  for (let round = 0; round < rounds; round++) ratios.push((await seconds(exact)) / (await seconds(rounded)));
  return ratios.sort((a, b) => a - b)[rounds >> 1]!;
}

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, at) => sum + value * b[at]!, 0);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
