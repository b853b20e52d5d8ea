/** A thread beside the one that decodes: ends the process when a picture takes too much, or when nobody waits for it. */

import { parentPort } from 'node:worker_threads';
import { type DecodeLimits, endings } from './decoder-process.ts';

const everyMilliseconds = 20;
const parent = process.ppid;
let looking: NodeJS.Timeout | undefined;

/** Limits begin a picture, and nothing ends it. */
parentPort!.on('message', (limits: DecodeLimits | undefined) => {
  clearInterval(looking);
  if (limits === undefined) return;
  const begin = process.cpuUsage();
  looking = setInterval(() => {
    const { user, system } = process.cpuUsage(begin);
    if (process.memoryUsage.rss() > limits.memory) process.kill(process.pid, endings.memory);
    if ((user + system) / 1e6 > limits.seconds) process.kill(process.pid, endings.time);
    if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL');
  }, everyMilliseconds);
});
