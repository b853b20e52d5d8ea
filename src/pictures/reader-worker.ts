/** A thread behind the image reader: reads, hashes, decodes and preprocesses images. */

import { hash } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import { preprocessImage } from '../clip/index.ts';
import { isPassing, LincirError } from '../core/index.ts';
import { joinBudget } from '../decoding/index.ts';
import { readImage } from './bytes.ts';
import { exifOf } from './exif.ts';
import { type FoundImage, reasonOf } from './files.ts';
import type { ImageAnswer, ImageRequest, ReaderTask } from './reader.ts';
import { preprocessRegion } from './region.ts';

const { preprocessing, budget, ...options }: ReaderTask = workerData;
joinBudget(budget);
const port = parentPort!;

type Wanted = Omit<ImageRequest, 'number'>;

/** Two images at a time: one is decoded, outside this thread, while the other is resampled. */
const lanes = [Promise.resolve(), Promise.resolve()];
let received = 0;

port.on('message', ({ number, ...wanted }: ImageRequest) => {
  const lane = received % lanes.length;
  received += 1;
  lanes[lane] = lanes[lane]!.then(async () => {
    const answer = await answerTo(wanted);
    const moved = 'pixels' in answer && answer.pixels ? [answer.pixels.buffer] : [];
    port.postMessage({ number, answer }, moved);
  });
});

async function answerTo({ picture, known, isUndescribed, bytes: given }: Wanted): Promise<ImageAnswer> {
  try {
    const { size, modified } = picture;
    const { bytes, ...found } = given ? { bytes: given, size, modified } : await readImage(picture);
    const digest = hash('sha256', bytes);
    const facts = { ...found, hash: digest };
    if (!known.includes(digest)) return { ...facts, ...(await decoded(bytes, picture)) };
    if (!isUndescribed) return facts;
    // An image that the index has stays there, whether it can be decoded or not.
    const { photo } = await decoded(bytes, picture).catch(() => ({ photo: undefined }));
    return { ...facts, photo };
  } catch (error) {
    if (error instanceof LincirError && !isPassing(error)) return { reason: reasonOf(error) };
    return { failed: error };
  }
}

async function decoded(bytes: Uint8Array<ArrayBuffer>, { path, region }: FoundImage) {
  const sizes: { readonly width: number; readonly height: number }[] = [];
  const named = { ...options, name: path, onSize: (size: (typeof sizes)[number]) => sizes.push(size) };
  const pixels = region
    ? await preprocessRegion(bytes, region, preprocessing, named)
    : await preprocessImage(bytes, preprocessing, named);
  const [size] = sizes;
  const photo = size && { ...exifOf(bytes), ...size };
  return { pixels: pixels as Float32Array<ArrayBuffer>, photo };
}
