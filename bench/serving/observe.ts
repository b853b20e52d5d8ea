/**
 * Loaded before a server (`node --import`): tells whoever started it about its memory and the delays of its main loop.
 * Every message asks, and starts anew.
 */

import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';

export interface Observation {
  /** Milliseconds by which the main loop was late. */
  readonly loopDelay: {
    readonly p50: number;
    readonly p99: number;
    readonly p999: number;
    readonly greatest: number;
  };
  /** Bytes. */
  readonly resident: number;
  readonly heap: number;
  /** Seconds of all its threads since its start. */
  readonly processorSeconds: number;
}

/** Milliseconds between two looks. */
const resolution = 5;

if (isMainThread && process.send) {
  const delays = monitorEventLoopDelay({ resolution });
  delays.enable();
  process.on('message', () => {
    // The timer's own period is part of what it counts.
    const late = (nanoseconds: number) => Number(Math.max(0, nanoseconds / 1e6 - resolution).toFixed(2));
    const { user, system } = process.cpuUsage();
    const observation: Observation = {
      loopDelay: {
        p50: late(delays.percentile(50)),
        p99: late(delays.percentile(99)),
        p999: late(delays.percentile(99.9)),
        greatest: late(delays.max),
      },
      resident: process.memoryUsage.rss(),
      heap: process.memoryUsage().heapUsed,
      processorSeconds: (user + system) / 1e6,
    };
    delays.reset();
    process.send!(observation);
  });
  process.channel?.unref(); // a server that is told to end must not wait for this
}
