/** Memory for phi's parameters and everything of their shape, and threads that help with passes over it. */

import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { chunkLength, PassMemory } from '../core/index.ts';
import { add, constant, input, Session } from '../onnx/index.ts';

/** More threads would only wait for memory. */
const mostThreads = 8;

/** Owns threads: close it. */
export class OptimizerMemory {
  readonly #passes: PassMemory;
  readonly #helpers: readonly Worker[];

  private constructor(passes: PassMemory, helpers: readonly Worker[]) {
    this.#passes = passes;
    this.#helpers = helpers;
  }

  /**
   * @param count the length of each array
   * @param arrays how many there will be
   */
  static async create(
    count: number,
    arrays: number,
    threads = availableParallelism(),
  ): Promise<OptimizerMemory> {
    const most = Math.min(threads, mostThreads, Math.floor(count / chunkLength));
    const shared = most > 1 && (await takesSharedMemory());
    const passes = new PassMemory(count, arrays, shared);
    // After compilation, this file and the worker end in .js.
    const file = new URL(`./optimizer-worker${extname(import.meta.url)}`, import.meta.url);
    const helpers = Array.from({ length: shared ? most - 1 : 0 }, () => {
      return new Worker(file, { workerData: passes.memory });
    });
    for (const helper of helpers) helper.unref();
    await Promise.all(helpers.map((helper) => once(helper, 'message')));
    passes.helpers = helpers.length;
    return new OptimizerMemory(passes, helpers);
  }

  /** An array of zeros, over which passes run on all threads. */
  readonly array = (count: number): Float32Array<ArrayBuffer> => this.#passes.array(count);

  get threads(): number {
    return 1 + this.#helpers.length;
  }

  async close(): Promise<void> {
    this.#passes.helpers = 0;
    for (const helper of this.#helpers) await helper.terminate();
  }
}

/** Whether graphs can read memory that threads share. From Node 24 on they can; before, all is computed on one thread. */
async function takesSharedMemory(): Promise<boolean> {
  const session = await Session.create({ y: add(input('x', 'float32', [1]), constant(1)) });
  const data = new Float32Array(new SharedArrayBuffer(4));
  try {
    await session.run({ x: { shape: [1], data } });
    return true;
  } catch {
    return false;
  } finally {
    await session.dispose();
  }
}
