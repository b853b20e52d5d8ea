/** A bounded queue: whatever waits when a runner is free becomes one batch. */

import { LincirError } from '../core/index.ts';
import type { LaneName, ServiceEvent } from './options.ts';
import type { RequestScope } from './service.ts';

/** What became of a task. */
export type Outcome<Result> = { readonly value: Result } | { readonly error: unknown };

/** What became of a batch, in the order of its tasks, and how long they took, without the loading of models. */
export interface BatchResult<Result> {
  readonly outcomes: readonly Outcome<Result>[];
  readonly milliseconds: number;
}

/** Runs one batch at a time. A rejection is the error of all its tasks. */
export type Runner<Work, Result> = (batch: readonly Work[]) => Promise<BatchResult<Result>>;

interface LaneOptions<Work, Result> {
  readonly name: LaneName;
  readonly runners: readonly Runner<Work, Result>[];
  /** Tasks that may wait. */
  readonly capacity: number;
  /** Tasks of one batch. */
  readonly largestBatch: number;
  readonly onEvent?: (event: ServiceEvent) => void;
}

interface Task<Work, Result> {
  readonly work: Work;
  readonly deadline: number;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/** How much the last batch counts in the estimate of time. */
const recentPart = 0.2;
/** A batch takes about so many tasks' time beside that of its tasks: a model's weights are read once for all. */
const batchCost = 3;
/** Times vary. Work is taken only if it would be in time even if it took so many times as long as expected. */
const caution = 1.5;

/** Answers in the order of requests, or refuses at once. What runs is never interrupted. */
export class Lane<Work, Result> {
  readonly #options: LaneOptions<Work, Result>;
  readonly #free: Runner<Work, Result>[];
  #waiting: Task<Work, Result>[] = [];
  #running = 0;
  /** The usual batch, as of late. */
  #usual: { readonly size: number; readonly milliseconds: number } | undefined;
  #isDispatching = false;

  constructor(options: LaneOptions<Work, Result>) {
    this.#options = options;
    this.#free = [...options.runners];
  }

  /**
   * Does the work after what already waits.
   * @throws LincirError 'busy' if the queue is full, or if the work would be or is done too late; the signal's reason; and
   *   what the runner throws
   */
  run(work: Work, scope: RequestScope): Promise<Result> {
    const { signal, deadline } = scope;
    signal.throwIfAborted();
    this.expectRoom(scope);
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    const task = { work, deadline, resolve, reject };
    const leave = () => {
      const place = this.#waiting.indexOf(task);
      if (place < 0) return; // it runs
      this.#waiting.splice(place, 1);
      this.#options.onEvent?.({ kind: 'dropped', lane: this.#options.name, reason: 'gone' });
      reject(signal.reason);
    };
    signal.addEventListener('abort', leave, { once: true });
    this.#waiting.push(task);
    this.#tellQueue();
    this.#dispatchSoon();
    return promise.finally(() => signal.removeEventListener('abort', leave));
  }

  /** Throws LincirError 'busy' as `run` would now: for requests that have other work to do before. */
  expectRoom({ deadline }: RequestScope): void {
    if (this.#waiting.length >= this.#options.capacity) throw this.#refusal('full');
    if (performance.now() + caution * this.#expectedWait() > deadline) throw this.#refusal('late');
  }

  /** What came in the same turn of the event loop goes together. */
  #dispatchSoon(): void {
    if (this.#isDispatching) return;
    this.#isDispatching = true;
    setImmediate(() => {
      this.#isDispatching = false;
      this.#dispatch();
    });
  }

  #dispatch(): void {
    const { largestBatch } = this.#options;
    while (this.#free.length > 0) {
      const now = performance.now();
      const late = this.#waiting.filter(({ deadline }) => deadline <= now);
      this.#waiting = this.#waiting.filter(({ deadline }) => deadline > now);
      for (const { reject } of late) reject(this.#refusal('late'));
      if (this.#waiting.length === 0) return;
      // Runners share the work, so that none is idle while another has a long batch.
      const size = Math.min(largestBatch, Math.ceil(this.#waiting.length / this.#free.length));
      void this.#runBatch(this.#free.shift()!, this.#waiting.splice(0, size));
    }
  }

  async #runBatch(runner: Runner<Work, Result>, tasks: readonly Task<Work, Result>[]): Promise<void> {
    this.#tellQueue();
    this.#running += tasks.length;
    const failed = (error: unknown) => ({ outcomes: tasks.map(() => ({ error })), milliseconds: 0 });
    const { outcomes, milliseconds } = await runner(tasks.map(({ work }) => work)).catch(failed);
    this.#running -= tasks.length;
    if (milliseconds > 0) {
      const last = { size: tasks.length, milliseconds };
      const { size, milliseconds: time } = this.#usual ?? last;
      this.#usual = {
        size: size + recentPart * (last.size - size),
        milliseconds: time + recentPart * (milliseconds - time),
      };
    }
    const { name: lane, onEvent } = this.#options;
    onEvent?.({ kind: 'batch', lane, size: tasks.length, milliseconds });
    for (const [at, { resolve, reject }] of tasks.entries()) {
      const outcome = outcomes[at]!;
      if ('value' in outcome) resolve(outcome.value);
      else reject(outcome.error);
    }
    this.#free.push(runner);
    this.#dispatch();
  }

  /** Milliseconds until a new task would be done. With nothing else to do, it is tried in any case. */
  #expectedWait(): number {
    if (this.#usual === undefined || this.#waiting.length + this.#running === 0) return 0;
    const { runners, largestBatch } = this.#options;
    const tasks = this.#waiting.length + 1;
    const waiting = tasks + batchCost * Math.ceil(tasks / largestBatch);
    // What runs is half done on average.
    const running = this.#running === 0 ? 0 : (this.#running + batchCost) / 2;
    const { size, milliseconds } = this.#usual;
    return (((waiting + running) / runners.length) * milliseconds) / (size + batchCost);
  }

  #refusal(reason: 'full' | 'late'): LincirError {
    const { name: lane, onEvent } = this.#options;
    onEvent?.({ kind: 'dropped', lane, reason });
    return busy(this.#expectedWait() / 1000);
  }

  #tellQueue(): void {
    const { name: lane, onEvent } = this.#options;
    onEvent?.({ kind: 'queue', lane, waiting: this.#waiting.length });
  }
}

/** Aborted when the client has gone, or waits no longer. */
export function inTime({ signal, deadline }: RequestScope): AbortSignal {
  const late = new AbortController();
  setTimeout(() => late.abort(busy(1)), Math.max(0, deadline - performance.now())).unref();
  return AbortSignal.any([signal, late.signal]);
}

/** Too much to do. */
export function busy(seconds: number): LincirError {
  return new LincirError('busy', {
    subject: 'the server',
    expected: 'to answer in time',
    found: 'too much to do',
    todo: 'try again later',
    retryAfter: Math.max(1, Math.ceil(seconds)),
  });
}
