/** Names workers in the records of their sources, so that this machine can tell which have ended. */

import { hostname } from 'node:os';
import { isRunning, shortPlace, thisProcess } from '../../files/index.ts';
import type { SourceRecord } from '../../store/index.ts';

/** This process: the machine's name and the process's id for people, and what tells it from all others. */
export async function thisWorker(): Promise<string> {
  const { pid, birth, place } = await thisProcess();
  return `${hostname()} ${pid} ${shortPlace(place)} ${birth}`.trim();
}

/** What people see of a worker. */
export function workerName(worker: string): string {
  return worker.split(' ').slice(0, 2).join(' ');
}

/** The records of sources that are recorded as running or waiting, whose process on this machine has ended. */
export async function endedAmong(records: readonly SourceRecord[]): Promise<Set<SourceRecord>> {
  const open = records.filter(({ state }) => state === 'running' || state === 'waiting');
  const isKept = await Promise.all(
    open.map(async ({ worker }) => {
      const [, pid = '', place = '', birth = ''] = worker.split(' ');
      return (await isRunning({ pid: Number(pid), place, birth })) !== false;
    }),
  );
  return new Set(open.filter((_, at) => !isKept[at]));
}
