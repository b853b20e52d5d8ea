/** Watches the decoding thread: ends the process when an image takes too much, or when nobody waits for it. */

import { writeSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { type DecodeLimits, type Excess, excessPipe } from './decoder-process.ts';

const everyMilliseconds = 20;
const parent = process.ppid;
let looking: NodeJS.Timeout | undefined;

/** A message with limits begins an image, and one without ends it. */
parentPort!.on('message', (limits: DecodeLimits | undefined) => {
  clearInterval(looking);
  if (limits === undefined) return;
  const begin = process.cpuUsage();
  looking = setInterval(() => {
    const { user, system } = process.cpuUsage(begin);
    if (process.memoryUsage.rss() > limits.memory) end('memory');
    if ((user + system) / 1e6 > limits.seconds) end('time');
    if (process.ppid !== parent) end();
  }, everyMilliseconds);
});

/** At once, because anything gentler would wait for the decoding thread. */
function end(excess?: Excess): void {
  if (excess) writeSync(excessPipe, excess);
  process.kill(process.pid, 'SIGKILL');
}
