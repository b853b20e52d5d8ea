/** Foretells what an update takes, before it begins: a look at the model, at some of the images, and at the machine. */

import { availableParallelism } from 'node:os';
import { type Clip, preprocessImage } from '../clip/index.ts';
import { LincirError } from '../core/index.ts';
import { indexedBytes, isS3 } from '../pictures/index.ts';
import type { Precision } from '../store/index.ts';

/** What an update is about to do. */
export interface WorkAhead {
  /** New and changed images. */
  readonly todo: number;
  /** Paths of some of them, spread over all. */
  readonly sample: readonly string[];
  /** How the index stores vectors. */
  readonly precision: Precision;
}

export interface Forecast {
  readonly images: number;
  readonly seconds: number;
  /** Of the index, for these images. */
  readonly indexBytes: number;
  /** Of the whole process. */
  readonly memoryBytes: number;
}

export interface ForecastOptions {
  /** As for `updateIndex`. */
  readonly readers?: number;
  readonly maxPixels?: number;
  /** Less work is not worth a look: undefined is the answer. Default: 10. */
  readonly leastSeconds?: number;
}

/** A look costs as much as an image or two: not worth it for fewer. */
const leastImages = 20;
const sampleSize = 6;
/** Seconds for runs of the tower, and for reading images. */
const patience = { encoding: 0.7, reading: 0.4 } as const;
/** What an image takes besides its vector: path, hash, times, photo columns. Measured on 3,000 small images and 600 photos. */
const bytesPerRow = 400;
/** Memory of a thread that reads, with the images that it decodes; and of the store that writes. */
const bytesPerReader = 120e6;
const bytesOfStore = 130e6;

/**
 * How long the update will take and what it needs; undefined if that is little. Takes the time of
 * three images, or of a second's runs. Rates of images that come over a network are those of the model alone.
 * @throws LincirError as `Clip.encodePixels`
 */
export async function forecast(
  clip: Clip,
  { todo, sample, precision }: WorkAhead,
  { readers, maxPixels, leastSeconds = 10 }: ForecastOptions = {},
): Promise<Forecast | undefined> {
  if (todo < leastImages) return undefined;
  const { channels, imageSize, projection } = clip.visionConfig;
  const length = channels * imageSize ** 2;
  const reading = await secondsToRead(clip, sample, maxPixels);
  const pixels = reading?.pixels ?? new Float32Array(length);
  const run = async (images: number): Promise<number> => {
    const all = new Float32Array(images * length);
    for (let image = 0; image < images; image += 1) all.set(pixels, image * length);
    const began = performance.now();
    await clip.encodePixels(all);
    return (performance.now() - began) / 1000;
  };
  const opening = await run(1); // of the tower, which the update does otherwise
  if (todo * opening < leastSeconds) return undefined;
  const few = Math.min(2, clip.picturesPerRun);
  let encoding = (await run(few)) / few;
  // A full run takes less time for each image. And what disturbs a run can only make it longer.
  const images = Math.min(clip.picturesPerRun, Math.floor(patience.encoding / encoding));
  if (images > few) encoding = Math.min(encoding, (await run(images)) / images);
  const cores = availableParallelism();
  const threads = readers ?? Math.max(1, Math.floor(cores / 2));
  const read = reading?.seconds ?? 0;
  // Readers and the tower share the cores.
  const seconds = todo * Math.max(encoding + read / cores, read / threads);
  if (seconds < leastSeconds) return undefined;
  return {
    images: todo,
    seconds,
    indexBytes: todo * (projection * (precision === 'float16' ? 2 : 4) + bytesPerRow),
    memoryBytes: process.memoryUsage.rss() + threads * bytesPerReader + bytesOfStore,
  };
}

/** Takes the image at a place among all into a sample, or leaves it: each has about the same chance, and memory is bounded. */
export function takeSample(sample: string[], path: string, place: number): void {
  const drawn = (Math.imul(place, 0x9e3779b1) >>> 0) / 2 ** 32;
  const row = place < sampleSize ? place : Math.floor(drawn * (place + 1));
  if (row < sampleSize) sample[row] = path;
}

/** The mean time to read and preprocess an image on one thread, and the pixels of one. Broken images do not count. */
async function secondsToRead(
  clip: Clip,
  sample: readonly string[],
  maxPixels: number | undefined,
): Promise<{ readonly seconds: number; readonly pixels: Float32Array } | undefined> {
  const { preprocessing } = clip;
  const targetPad = clip.targetPad ?? undefined;
  let pixels: Float32Array | undefined;
  let [seconds, read] = [0, 0];
  const start = performance.now();
  for (const path of sample.filter((one) => !isS3(one))) {
    const began = performance.now();
    if (read > 1 && began - start > 1000 * patience.reading) break;
    try {
      pixels = await preprocessImage(await indexedBytes(path), preprocessing, { maxPixels, targetPad });
    } catch (error) {
      if (!(error instanceof LincirError)) throw error;
      continue;
    }
    // The first one also loads the decoder.
    if (read > 0 || sample.length === 1) seconds += (performance.now() - began) / 1000;
    read += 1;
  }
  if (pixels === undefined) return undefined;
  return { seconds: seconds / Math.max(1, read - 1), pixels };
}
