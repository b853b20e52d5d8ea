/** `lincir serve --watch`: keeps served indexes up to date, each in a process of its own. */

import { setTimeout as pause } from 'node:timers/promises';
import { type IndexingWork, indexInProcess } from '../../indexing/index.ts';
import type { Context } from '../context.ts';
import { shownTo } from '../indexing/watch.ts';

/** Milliseconds before a process that has ended is started again. */
const restMilliseconds = 60_000;

/** Goes on until the signal aborts, and never fails: without it, the server still answers. */
export async function keepUpToDate(
  name: string,
  work: Omit<IndexingWork, 'watch'>,
  context: Context,
): Promise<void> {
  const { reporter, signal } = context;
  const told = (message: string) =>
    context.told(message).replace('`removeMissing`', 'lincir index --remove-missing');
  const ready = `watching the folders of ${name}`;
  let failure = '';
  while (!signal.aborted) {
    const show = shownTo({ reporter, told }, { uri: work.uri, ready });
    try {
      for await (const event of indexInProcess({ ...work, watch: true }, signal)) await show(event);
    } catch (error) {
      if (signal.aborted) return;
      const message = told(error instanceof Error ? error.message : String(error));
      if (message !== failure) reporter.note(`warning: ${message}; trying again every minute`);
      failure = message;
      await pause(restMilliseconds, undefined, { signal }).catch(() => {});
    }
  }
}
