/** A thread that reads, hashes, decodes and encodes images, so that the main thread stays free. */

import { parentPort } from 'node:worker_threads';
import { LincirError } from '../../core/index.ts';
import type { ThreadAnswer } from './image-queue.ts';
import { type ImageWork, imageMade, useOneThreadPerImage } from './image-work.ts';

const port = parentPort!;
useOneThreadPerImage();

port.on('message', async ({ number, work }: { readonly number: number; readonly work: ImageWork }) => {
  const answer = await answerTo(work);
  port.postMessage({ number, answer }, 'made' in answer ? [answer.made.bytes.buffer] : []);
});

async function answerTo(work: ImageWork): Promise<ThreadAnswer> {
  try {
    return { made: await imageMade(work) };
  } catch (error) {
    if (error instanceof LincirError) {
      const { subject: _, cause: _cause, ...problem } = error.problem;
      return { code: error.code, problem: { ...problem, subject: `the file of image ${work.image.id}` } };
    }
    // What libraries say of damaged data.
    const found = error instanceof Error ? error.message.slice(0, 200) : 'damaged data';
    const subject = `the file of image ${work.image.id}`;
    return { code: 'bad-file', problem: { subject, expected: 'a whole image', found } };
  }
}
