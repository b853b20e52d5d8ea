/** A worker thread that answers one question at a time, started when it is first asked and again if it has died. */

import { Worker } from 'node:worker_threads';
import { LincirError } from '../core/index.ts';
import { receivedError, type SentError } from './thread-errors.ts';

/** A thread's message: the answer to a question, or news. */
export type FromThread<Answer, News> =
  | { readonly number: number; readonly answer: Answer }
  | { readonly number: number; readonly failed: SentError }
  | { readonly news: News };

/** What is sent to a thread. `close` lets it free everything, and end by itself. */
export type ToThread<Question> = { readonly number: number; readonly question: Question } | 'close';

interface Waiting<Answer> {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/** Owns the thread: close it. ONNX Runtime would end the process if a thread ended in the middle of a run. */
export class Thread<Question, Answer, News = never> {
  readonly #file: URL;
  readonly #data: unknown;
  readonly #onNews: ((news: News) => void) | undefined;
  readonly #waiting = new Map<number, Waiting<Answer>>();
  #worker: Worker | undefined;
  #asked = 0;

  constructor(file: URL, data: unknown, onNews?: (news: News) => void) {
    this.#file = file;
    this.#data = data;
    this.#onNews = onNews;
  }

  /** @throws what the thread's work throws, and LincirError 'device' if it dies */
  ask(question: Question, moved: readonly ArrayBuffer[] = []): Promise<Answer> {
    this.#worker ??= this.#started();
    const number = this.#asked;
    this.#asked += 1;
    this.#worker.postMessage({ number, question } satisfies ToThread<Question>, [...moved]);
    this.#worker.ref();
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    this.#waiting.set(number, { resolve, reject });
    return promise;
  }

  /** Whether it runs. */
  get isStarted(): boolean {
    return this.#worker !== undefined;
  }

  /** Waits until all questions are answered, and until the thread has freed everything. */
  async close(): Promise<void> {
    const worker = this.#worker;
    if (worker === undefined) return;
    const ended = new Promise((resolve) => worker.once('exit', resolve));
    worker.ref();
    worker.postMessage('close' satisfies ToThread<Question>);
    await ended;
  }

  #started(): Worker {
    const worker = new Worker(this.#file, { workerData: this.#data });
    worker.on('message', (message: FromThread<Answer, News>) => {
      if ('news' in message) {
        this.#onNews?.(message.news);
        return;
      }
      const { resolve, reject } = this.#waiting.get(message.number)!;
      this.#waiting.delete(message.number);
      if (this.#waiting.size === 0) worker.unref(); // it keeps no process alive that has nothing else to do
      if ('failed' in message) reject(receivedError(message.failed));
      else resolve(message.answer);
    });
    let cause: unknown;
    worker.on('error', (error) => {
      cause = error;
    });
    worker.on('exit', () => {
      if (this.#worker === worker) this.#worker = undefined;
      for (const { reject } of this.#waiting.values()) reject(died(cause));
      this.#waiting.clear();
    });
    return worker;
  }
}

function died(cause: unknown): LincirError {
  return new LincirError('device', {
    subject: 'a worker of the server',
    expected: 'to go on',
    found: cause instanceof Error ? cause.message : 'that it ended',
    todo: 'try again',
    cause,
  });
}
