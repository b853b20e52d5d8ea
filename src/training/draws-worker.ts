/** The thread behind DrawsAhead. */

import { parentPort, workerData } from 'node:worker_threads';
import { type DrawOptions, type DrawRequest, drawPass } from './draw-pass.ts';
import { buffersOf } from './draws.ts';

const options: DrawOptions = workerData;
const port = parentPort!;

port.on('message', ({ used, ...place }: DrawRequest) => {
  const draws = drawPass(options, place, used);
  port.postMessage(draws, buffersOf(draws));
});
