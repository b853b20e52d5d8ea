/** The process of `indexInProcess`: brings an index up to date, and ends in order when its parent no longer listens. */

import { setPriority } from 'node:os';
import { inspect } from 'node:util';
import { type Clip, loadClip } from '../clip/index.ts';
import { LincirError } from '../core/index.ts';
import { openIndex } from './image-index.ts';
import type { IndexingMessage, IndexingWork } from './indexing-process.ts';
import { modelFor } from './model-name.ts';
import { modelPrecision } from './model-precision.ts';
import { watchIndex } from './watch.ts';

/** Unix's priority of work in the background. */
const background = 10;
/** Milliseconds between messages of progress. */
const millisecondsPerMessage = 200;

const end = new AbortController();
process.on('disconnect', () => end.abort());
// The signal is for the parent, which has something to finish, and then disconnects.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {});
process.once('message', async (work: IndexingWork) => {
  try {
    setPriority(background);
  } catch {
    // The system does not permit it.
  }
  try {
    await run(work);
    tell({ isDone: true });
  } catch (error) {
    tell(error instanceof LincirError ? { failed: error } : { crashed: inspect(error) });
  }
  if (process.connected) process.disconnect();
});

async function run(work: IndexingWork): Promise<void> {
  const options = { ...work.options, signal: end.signal };
  let told = 0;
  for await (const event of work.watch
    ? watchIndex(work.uri, () => load(work), options)
    : update(work, options)) {
    const now = performance.now();
    if (event.kind === 'progress' && now - told < millisecondsPerMessage) continue;
    told = now;
    tell({ event });
  }
}

async function* update(work: IndexingWork, options: Parameters<typeof watchIndex>[2]) {
  const clip = await load(work);
  try {
    const index = await openIndex(work.uri, { access: 'write', clip });
    try {
      yield* index.add(clip, options);
    } finally {
      await index.close();
    }
  } finally {
    await clip.dispose();
  }
}

/** The index's own model, or that of a new index. */
async function load({ uri, model, device, threads }: IndexingWork): Promise<Clip> {
  const index = await openIndex(uri).catch((error: unknown) => {
    if (error instanceof LincirError && error.code === 'not-found' && model !== undefined) return undefined;
    throw error;
  });
  await index?.close();
  const targetPad = index?.info.targetPad ?? undefined;
  const precision = index && modelPrecision({ index: uri }, index.info.fingerprint, device);
  const options = { device, threads, precision, targetPad, signal: end.signal };
  return await loadClip(index ? await modelFor(uri, index.info, model) : model!, options);
}

function tell(message: IndexingMessage): void {
  if (process.connected) process.send!(message);
}
