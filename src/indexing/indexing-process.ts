/** Brings an index up to date in a process of its own, because encoding blocks its thread. */

import { type ChildProcess, fork } from 'node:child_process';
import { on, once } from 'node:events';
import { extname } from 'node:path';
import { LincirError } from '../core/index.ts';
import type { Device } from '../onnx/index.ts';
import type { WatchEvent, WatchOptions } from './watch.ts';

/** What the process does. */
export interface IndexingWork {
  readonly uri: string;
  /** Default: the index's own. A new index needs one. */
  readonly model?: string;
  readonly device?: Device;
  /** Threads of one run on the CPU. */
  readonly threads?: number;
  /** What is indexed, and how. */
  readonly options: Omit<WatchOptions, 'signal'>;
  /** Whether it stays, as `watchIndex` does. */
  readonly watch?: boolean;
}

/** What arrives of a LincirError. */
export type ErrorParts = Pick<LincirError, 'code' | 'problem'>;

/** What the process sends. */
export type IndexingMessage =
  | { readonly event: WatchEvent }
  | { readonly failed: ErrorParts }
  /** An error that nobody foresaw, as text. */
  | { readonly crashed: string }
  | { readonly isDone: true };

/** Milliseconds that it has to commit what is done. */
const patience = 20_000;

/**
 * The events of `updateIndex`, or of `watchIndex`, from a process that lets others go first. If the signal aborts, or this
 * process ends, that one commits what is done, and ends.
 * @throws LincirError as these do, and the signal's reason; Error if the process ends otherwise
 */
export async function* indexInProcess(
  work: IndexingWork,
  signal?: AbortSignal,
): AsyncGenerator<WatchEvent, void, void> {
  signal?.throwIfAborted();
  // After compilation, this file and the child end in .js.
  const file = new URL(`./indexing-child${extname(import.meta.url)}`, import.meta.url);
  const child = fork(file, { execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  child.on('error', () => {}); // from writing to a process that has ended, which is told below
  const stop = () => {
    if (child.connected) child.disconnect();
  };
  signal?.addEventListener('abort', stop, { once: true });
  try {
    child.send(work);
    for await (const [sent] of on(child, 'message', { close: ['disconnect', 'close'] })) {
      const message: IndexingMessage = sent;
      if ('isDone' in message) return;
      if ('failed' in message) throw restored(message.failed);
      if ('crashed' in message) throw new Error(message.crashed);
      yield received(message.event);
    }
    signal?.throwIfAborted();
    throw new Error(`the process that indexes ${work.uri} has ended: ${child.signalCode ?? child.exitCode}`);
  } finally {
    signal?.removeEventListener('abort', stop);
    stop();
    await ended(child);
  }
}

async function ended(child: ChildProcess): Promise<void> {
  const timer = setTimeout(() => child.kill('SIGKILL'), patience);
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  clearTimeout(timer);
}

/** An event with its errors as they were. */
function received(event: WatchEvent): WatchEvent {
  if (event.kind === 'waiting') return { ...event, problems: event.problems.map(restored) };
  return event.kind === 'end' && event.away ? { ...event, away: restored(event.away) } : event;
}

function restored({ code, problem }: ErrorParts): LincirError {
  return new LincirError(code, problem);
}
