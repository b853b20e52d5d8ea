/** The thread behind CaptionBatches: finds captions by their place in the order, masks and tokenizes them. */

import { parentPort, workerData } from 'node:worker_threads';
import { openTokenizer } from '../clip/index.ts';
import { LincirError } from '../core/index.ts';
import { openModel } from '../hub/index.ts';
import { type BatchRequest, type CaptionBatch, captionBatches } from './batch.ts';
import type { BatchAnswer, BatchOptions } from './batches.ts';
import { CaptionCopy } from './copy.ts';
import { createPreparation } from './preparation.ts';

const options: BatchOptions = workerData;
const port = parentPort!;
const ready = prepareBatches(options);
ready.catch(() => {}); // reported with the first request

/** The previous answer: answers leave in the order of the requests. */
let earlier: Promise<void> = Promise.resolve();

port.on('message', (request: BatchRequest) => {
  earlier = earlier.then(async () => port.postMessage(await answerTo(request)));
});

async function answerTo(request: BatchRequest): Promise<BatchAnswer> {
  try {
    return { batch: await (await ready)(request) };
  } catch (error) {
    if (!(error instanceof LincirError)) return { failed: error };
    const { cause: _, ...problem } = error.problem; // the original may not be transferable to another thread
    return { refused: { code: error.code, problem } };
  }
}

async function prepareBatches({
  copyFolder,
  modelFolder,
  masking,
  seed,
}: BatchOptions): Promise<(request: BatchRequest) => Promise<CaptionBatch>> {
  const { files } = await openModel(modelFolder);
  const prepare = await createPreparation(await openTokenizer(files), masking);
  const store = await CaptionCopy.open(copyFolder);
  const { sources } = store;
  return captionBatches({ sources, seed, prepare, read: (places) => store.read(places) });
}
