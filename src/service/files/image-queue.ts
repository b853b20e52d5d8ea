/** The queue for images to be made: the newest first, because people scroll on; and none that nobody waits for. */

import { availableParallelism } from 'node:os';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { type ErrorCode, LincirError, type Problem } from '../../core/index.ts';
import type { RequestScope } from '../service.ts';
import type { ImageWork, MadeImage } from './image-work.ts';

export type ThreadAnswer =
  | { readonly made: MadeImage }
  | { readonly code: ErrorCode; readonly problem: Problem };

interface Waiter {
  readonly resolve: (made: MadeImage) => void;
  readonly reject: (error: unknown) => void;
}

interface Job {
  readonly key: string;
  readonly work: ImageWork;
  readonly waiters: Set<Waiter>;
}

interface QueueOptions {
  /** Images made at once. Node's own file system needs one of the four threads that they run on. */
  readonly atOnce?: number;
  /** Images that may wait. */
  readonly most?: number;
}

export class ImageQueue {
  readonly #atOnce: number;
  readonly #most: number;
  /** All jobs by key: several requests for one image wait for the same job. */
  readonly #jobs = new Map<string, Job>();
  /** The newest last. */
  readonly #waiting: Job[] = [];
  readonly #running = new Map<number, Job>();
  #number = 0;
  #thread: Worker | undefined;
  #closed: (() => void) | undefined;

  constructor({ atOnce = Math.min(3, availableParallelism()), most = 512 }: QueueOptions = {}) {
    this.#atOnce = atOnce;
    this.#most = most;
  }

  /**
   * Makes an image. Requests with one key share the work.
   * @throws what `imageMade` throws, LincirError 'busy' if it is not made by the deadline, and the signal's reason
   */
  ask(key: string, work: ImageWork, { signal, deadline }: RequestScope): Promise<MadeImage> {
    signal.throwIfAborted();
    if (this.#closed) throw tooBusy();
    const { promise, resolve, reject } = Promise.withResolvers<MadeImage>();
    const job = this.#jobs.get(key) ?? { key, work, waiters: new Set() };
    this.#drop(job); // It comes first again.
    if (!this.#jobs.has(key)) this.#enter(job);
    const waiter: Waiter = { resolve, reject };
    const leave = (reason: unknown) => {
      reject(reason);
      job.waiters.delete(waiter);
      if (job.waiters.size === 0) this.#drop(job);
    };
    const onAbort = () => leave(signal.reason);
    const timer = setTimeout(() => leave(tooBusy()), Math.max(0, deadline - performance.now()));
    signal.addEventListener('abort', onAbort, { once: true });
    job.waiters.add(waiter);
    this.#next();
    return promise.finally(() => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    });
  }

  /** Finishes what runs, and refuses the rest. */
  async close(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#closed = resolve;
    for (const job of this.#waiting.splice(0)) this.#fail(job, tooBusy());
    if (this.#running.size > 0) await promise;
    await this.#thread?.terminate();
  }

  #enter(job: Job): void {
    this.#jobs.set(job.key, job);
    this.#waiting.push(job);
    if (this.#waiting.length > this.#most) this.#fail(this.#waiting.shift()!, tooBusy());
  }

  /** Drops a job that nobody waits for, unless it has begun. */
  #drop(job: Job): void {
    const at = this.#waiting.indexOf(job);
    if (at < 0) return;
    this.#waiting.splice(at, 1);
    this.#jobs.delete(job.key);
  }

  #next(): void {
    while (this.#running.size < this.#atOnce) {
      const job = this.#waiting.pop();
      if (job === undefined) return;
      this.#number += 1;
      this.#running.set(this.#number, job);
      this.#theThread().postMessage({ number: this.#number, work: job.work });
    }
  }

  #fail(job: Job, error: unknown): void {
    this.#jobs.delete(job.key);
    for (const { reject } of job.waiters) reject(error);
    job.waiters.clear();
  }

  /** Started for the first image. */
  #theThread(): Worker {
    if (this.#thread) return this.#thread;
    // After compilation, this file and the thread end in .js.
    const thread = new Worker(new URL(`./image-thread${extname(import.meta.url)}`, import.meta.url));
    thread.on('message', ({ number, answer }: { number: number; answer: ThreadAnswer }) => {
      const job = this.#running.get(number)!;
      this.#running.delete(number);
      if ('made' in answer) {
        this.#jobs.delete(job.key);
        for (const { resolve } of job.waiters) resolve(answer.made);
      } else this.#fail(job, new LincirError(answer.code, answer.problem));
      this.#next();
      if (this.#running.size === 0) this.#closed?.();
    });
    thread.on('error', (error) => {
      this.#thread = undefined;
      for (const job of this.#running.values()) this.#fail(job, error);
      this.#running.clear();
      this.#next();
      this.#closed?.();
    });
    thread.unref();
    this.#thread = thread;
    return thread;
  }
}

function tooBusy(): LincirError {
  return new LincirError('busy', {
    subject: 'an image',
    expected: 'time to make it',
    found: 'that others come first',
    todo: 'ask again in a second',
    retryAfter: 1,
  });
}
