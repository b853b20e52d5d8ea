/** The random part of training steps, drawn on a second thread while the caller computes. */

import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { dropoutMask, normals, uniforms } from '../core/index.ts';
import type { StepNoise } from './step.ts';

export interface DrawOptions {
  readonly seed: number;
  /** Captions of a pass. */
  readonly batch: number;
  /** Passes of a step. */
  readonly passes: number;
  readonly input: number;
  readonly hidden: number;
  /** Strength of the noise. */
  readonly noise: number;
  /** The part of hidden values that is dropped. */
  readonly dropout: number;
}

/** Which pass: counted from 0, of a step counted from 1. */
export interface PassRequest {
  readonly step: number;
  readonly pass: number;
}

/** A request with arrays that are no longer needed, for its answer. */
export interface DrawRequest extends PassRequest {
  readonly used: Draws | undefined;
}

/** Arrays that threads can hand to each other. */
export interface Draws extends StepNoise {
  readonly noise: Float32Array<ArrayBuffer>;
  readonly masks: readonly [Float32Array<ArrayBuffer>, Float32Array<ArrayBuffer>];
}

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

/** The random part of one pass. It depends on the seed and its place, and on no earlier draws. */
export function drawPass(
  { seed, batch, input, hidden, noise, dropout }: DrawOptions,
  { step, pass }: PassRequest,
  into: Draws = {
    noise: new Float32Array(batch * input),
    masks: [new Float32Array(batch * hidden), new Float32Array(batch * hidden)],
  },
): Draws {
  const stream = { seed, moment: step };
  for (let at = 0; at < batch; at += 1) {
    const row = pass * batch + at;
    const [scale] = uniforms({ ...stream, purpose: 'noise-scale', row }, 1);
    const values = normals({ ...stream, purpose: 'noise', row }, input);
    for (let index = 0; index < input; index += 1) values[index]! *= noise * scale!;
    into.noise.set(values, at * input);
    for (const [layer, mask] of into.masks.entries()) {
      const ofRow = mask.subarray(at * hidden, (at + 1) * hidden);
      dropoutMask({ ...stream, purpose: 'dropout', row: 2 * row + layer }, dropout, ofRow);
    }
  }
  return into;
}
