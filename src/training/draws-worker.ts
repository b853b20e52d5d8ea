/** The thread behind DrawsAhead. */

import { parentPort, workerData } from 'node:worker_threads';
import { buffersOf, type DrawOptions, type DrawRequest, drawPass } from './draws.ts';

const options: DrawOptions = workerData;
const port = parentPort!;

port.on('message', ({ used, ...place }: DrawRequest) => {
  const draws = drawPass(options, place, used);
  port.postMessage(draws, buffersOf(draws));
});
