/** The decoding process: decodes what it receives, and ends when that takes too much or nobody waits for it. */

import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { LincirError } from '../core/index.ts';
import { type DecodeWork, decodeHere } from './decode-here.ts';
import type { DecodeAnswer, DecodeLimits } from './decoder-process.ts';
import { damageIn } from './vips-decode.ts';

/** While this thread decodes, it cannot receive messages. Another thread watches it. */
const watch = new Worker(new URL(`./decoder-watch${extname(import.meta.url)}`, import.meta.url));

process.on('message', async ({ work, limits }: { work: DecodeWork; limits: DecodeLimits }) => {
  watch.postMessage(limits);
  const answer = await answerTo(work);
  watch.postMessage(undefined);
  process.send!({ ...answer, held: process.memoryUsage.rss() } satisfies DecodeAnswer);
});
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
// The signal is for the parent, which may have something to finish, and will end this process.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {});

async function answerTo(work: DecodeWork) {
  try {
    return { image: await decodeHere(work) };
  } catch (error) {
    if (!(error instanceof LincirError)) return { damage: damageIn(error) };
    const { cause: _, ...problem } = error.problem;
    return { code: error.code, problem };
  }
}
