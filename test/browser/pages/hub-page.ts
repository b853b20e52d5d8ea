/** Passes questions of the tests on to a worker. */

import './hub-worker.ts';

const worker = new Worker('hub-worker.js', { type: 'module' });
const waiting = new Map<number, (answer: unknown) => void>();
worker.addEventListener('message', ({ data: { id, answer } }) => waiting.get(id)?.(answer));
let count = 0;

Object.assign(globalThis, {
  answerInWorker: (name: string, given: unknown[]) =>
    new Promise((resolve) => {
      count += 1;
      waiting.set(count, resolve);
      worker.postMessage({ name, given, id: count });
    }),
});
