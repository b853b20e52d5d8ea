/** Workers that are killed at random moments and started again, as a scheduler does, until all of them are done. */

import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { sequence } from '../../src/core/index.ts';
import { start } from '../command-line.ts';

interface Killing {
  readonly folder: string;
  /** The command of a worker, from 1 on. */
  readonly argumentsOf: (worker: number) => readonly string[];
  readonly workers: number;
  readonly kills: number;
  /** Milliseconds after which a process is killed, at most. */
  readonly longest: number;
  readonly seed: number;
}

/** How the processes ended. */
export interface Ends {
  readonly killed: number;
  readonly failed: readonly string[];
  readonly done: number;
}

/** Kills so many processes, if there is work for so long, and lets the others end. */
export async function killWorkers(options: Killing): Promise<Ends> {
  const { folder, workers, kills, longest, seed } = options;
  let killed = 0;
  let done = 0;
  const failed: string[] = [];
  const work = async (worker: number) => {
    const random = sequence({ seed, purpose: 'order', moment: worker, row: 0 });
    for (;;) {
      const child = start(options.argumentsOf(worker), { folder });
      let told = '';
      child.stderr!.on('data', (text) => {
        told += text;
      });
      child.stdout!.resume();
      const ended = once(child, 'close');
      const over = new AbortController();
      ended.then(() => over.abort());
      if (killed < kills) {
        await pause(random() * longest, undefined, { signal: over.signal }).catch(() => {});
        if (killed < kills) child.kill('SIGKILL');
      }
      await ended;
      if (child.signalCode !== null) {
        killed += 1;
        continue;
      }
      if (child.exitCode !== 0) failed.push(told);
      done += 1;
      return;
    }
  };
  await Promise.all(Array.from({ length: workers }, (_, at) => work(at + 1)));
  return { killed, failed, done };
}
