/** Prepares captions for training steps on a second thread, while the caller computes. */

import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { type ErrorCode, LincirError, type Problem } from '../core/index.ts';
import type { BatchRequest, CaptionBatch } from './batch.ts';
import type { Masking } from './choices.ts';

export interface BatchOptions {
  /** The folder of a complete CaptionCopy. */
  readonly copyFolder: string;
  /** Where the model's tokenizer is. */
  readonly modelFolder: string;
  readonly masking: Masking;
  readonly seed: number;
}

/** The thread's answers, in the order of the requests. */
export type BatchAnswer =
  | { readonly batch: CaptionBatch }
  | { readonly refused: { readonly code: ErrorCode; readonly problem: Problem } }
  | { readonly failed: unknown };

/** Owns the thread: close it. A batch depends only on the options and its place. */
export class CaptionBatches {
  readonly #worker: Worker;
  readonly #waiting: { resolve: (batch: CaptionBatch) => void; reject: (error: unknown) => void }[] = [];
  #failed: unknown;
  readonly #known = new Map<string, Promise<CaptionBatch>>();

  constructor(options: BatchOptions) {
    // After compilation, this file and the worker end in .js.
    const file = new URL(`./batch-worker${extname(import.meta.url)}`, import.meta.url);
    this.#worker = new Worker(file, { workerData: options });
    this.#worker.on('message', (answer: BatchAnswer) => this.#settle(answer));
    this.#worker.on('error', (failed) => {
      this.#failed = failed;
      while (this.#waiting.length > 0) this.#settle({ failed });
    });
  }

  /**
   * The captions from `first` on. Also begins with the ones after them.
   * @throws LincirError 'bad-file', 'io' or 'bad-config' when copy or tokenizer cannot be used
   */
  async take({ first, count }: BatchRequest): Promise<CaptionBatch> {
    const batch = this.#request({ first, count });
    this.#known.clear();
    this.#request({ first: first + count, count });
    return await batch;
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #request(request: BatchRequest): Promise<CaptionBatch> {
    const key = `${request.first} ${request.count}`;
    const known = this.#known.get(key);
    if (known) return known;
    if (this.#failed !== undefined) throw this.#failed;
    const made = new Promise<CaptionBatch>((resolve, reject) => this.#waiting.push({ resolve, reject }));
    made.catch(() => {}); // reported when it is taken
    this.#worker.postMessage(request);
    this.#known.set(key, made);
    return made;
  }

  #settle(answer: BatchAnswer): void {
    const { resolve, reject } = this.#waiting.shift()!;
    if ('batch' in answer) resolve(answer.batch);
    else if ('refused' in answer) reject(new LincirError(answer.refused.code, answer.refused.problem));
    else reject(answer.failed);
  }
}
