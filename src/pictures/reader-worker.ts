/** A thread behind PictureReader: reads, hashes, decodes and preprocesses pictures. */

import { hash } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import { joinBudget, preprocessImage } from '../clip/index.ts';
import { LincirError } from '../core/index.ts';
import { readPicture } from './bytes.ts';
import { reasonOf } from './files.ts';
import type { PictureAnswer, PictureRequest, ReaderTask } from './reader.ts';
import { preprocessRegion } from './region.ts';

const { preprocessing, budget, ...options }: ReaderTask = workerData;
joinBudget(budget);
const port = parentPort!;

/** Two pictures at a time, so that one is decoded, outside of this thread, while the other is resampled. */
const lanes = [Promise.resolve(), Promise.resolve()];
let received = 0;

port.on('message', ({ number, picture, known }: PictureRequest) => {
  const lane = received % lanes.length;
  received += 1;
  lanes[lane] = lanes[lane]!.then(async () => {
    const answer = await answerTo(picture, known);
    port.postMessage({ number, answer }, 'pixels' in answer ? [answer.pixels.buffer] : []);
  });
});

async function answerTo(
  picture: PictureRequest['picture'],
  known: PictureRequest['known'],
): Promise<PictureAnswer> {
  try {
    const { bytes, ...found } = await readPicture(picture);
    const digest = hash('sha256', bytes);
    const facts = { ...found, hash: digest };
    if (known.includes(digest)) return facts;
    const named = { ...options, name: picture.path };
    const pixels = picture.region
      ? await preprocessRegion(bytes, picture.region, preprocessing, named)
      : await preprocessImage(bytes, preprocessing, named);
    return { ...facts, pixels: pixels as Float32Array<ArrayBuffer> };
  } catch (error) {
    if (error instanceof LincirError) return { reason: reasonOf(error) };
    return { failed: error };
  }
}
