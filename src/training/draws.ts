/** The random part of training steps, drawn on a second thread while the caller computes. */

import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { DrawOptions, DrawRequest, Draws, PassRequest } from './draw-pass.ts';
import type { StepNoise } from './step.ts';

/** Owns the thread: close it. */
export class DrawsAhead {
  readonly #passes: number;
  readonly #worker: Worker;
  readonly #known = new Map<string, Promise<Draws>>();
  readonly #waiting: { resolve: (draws: Draws) => void; reject: (error: unknown) => void }[] = [];
  #used: Draws | undefined;
  #failed: unknown;

  constructor(options: DrawOptions) {
    this.#passes = options.passes;
    // After compilation, this file and the worker end in .js.
    const file = new URL(`./draws-worker${extname(import.meta.url)}`, import.meta.url);
    this.#worker = new Worker(file, { workerData: options });
    this.#worker.on('message', (draws: Draws) => this.#waiting.shift()!.resolve(draws));
    this.#worker.on('error', (error) => {
      this.#failed = error;
      for (const { reject } of this.#waiting.splice(0)) reject(error);
    });
  }

  /** The random part of a pass, valid until the next is taken. Also begins with the one after it. */
  async take({ step, pass }: PassRequest): Promise<StepNoise> {
    const draws = await this.#request({ step, pass });
    this.#known.clear();
    this.#request(pass + 1 < this.#passes ? { step, pass: pass + 1 } : { step: step + 1, pass: 0 });
    this.#used = draws;
    return draws;
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #request({ step, pass }: PassRequest): Promise<Draws> {
    const key = `${step} ${pass}`;
    const known = this.#known.get(key);
    if (known) return known;
    if (this.#failed !== undefined) throw this.#failed;
    const made = new Promise<Draws>((resolve, reject) => this.#waiting.push({ resolve, reject }));
    made.catch(() => {}); // reported when it is taken
    const request: DrawRequest = { step, pass, used: this.#used };
    this.#worker.postMessage(request, this.#used ? buffersOf(this.#used) : []);
    this.#used = undefined;
    this.#known.set(key, made);
    return made;
  }
}

/** What a thread hands over with draws. */
export function buffersOf({ noise, masks }: Draws): ArrayBuffer[] {
  return [noise, ...masks].map(({ buffer }) => buffer);
}
