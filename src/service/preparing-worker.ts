/** A thread that prepares requests' images: hashes, decodes and preprocesses them, and makes thumbnails. */

import { hash } from 'node:crypto';
import { workerData } from 'node:worker_threads';
import { preprocessImage } from '../clip/index.ts';
import { LincirError } from '../core/index.ts';
import { joinBudget } from '../decoding/index.ts';
import { thumbnailOf } from '../pictures/index.ts';
import type { PreparingAnswer, PreparingQuestion } from './preparing.ts';
import { serveThread } from './thread-loop.ts';

/** Fewer than of one's own files: they are strangers'. */
const mostPixels = 50_000_000;

joinBudget(workerData as SharedArrayBuffer);

serveThread<PreparingQuestion, PreparingAnswer>({
  /** One is decoded, outside this thread, while the other is resampled. */
  atOnce: 2,
  answer: async (question) => {
    const { kind, bytes } = question;
    if (kind === 'hash') {
      return { answer: { kind, hash: hash('sha256', bytes), bytes }, moved: [bytes.buffer] };
    }
    const { name, preprocessing, targetPad, thumbnailSide } = question;
    let size = { width: 0, height: 0 };
    const pixels = (await preprocessImage(bytes, preprocessing, {
      targetPad: targetPad ?? undefined,
      ...{ maxPixels: mostPixels, name },
      onSize: (extent) => {
        size = extent;
      },
    }).catch(withoutOptions)) as Float32Array<ArrayBuffer>;
    const made = thumbnailSide === undefined ? undefined : await thumbnailOf(bytes, thumbnailSide);
    const thumbnail = made && new Uint8Array(made); // libvips' own memory cannot be moved
    const moved = [bytes.buffer, pixels.buffer, ...(thumbnail ? [thumbnail.buffer] : [])];
    return { answer: { kind, bytes, pixels, ...size, thumbnail }, moved };
  },
  dispose: async () => {},
});

/** Clients cannot raise the limit of pixels, as the error advises. */
function withoutOptions(error: unknown): never {
  if (!(error instanceof LincirError && error.problem.todo?.includes('maxPixels'))) throw error;
  throw new LincirError(error.code, { ...error.problem, todo: 'shrink the image' });
}
