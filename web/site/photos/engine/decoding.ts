/** Decodes and preprocesses pictures on workers of their own, ahead of the model, and survives pictures that end them. */

import type { ImagePreprocessing } from '../../../../src/clip/index.ts';
import { startWorker } from '../../shell/start-worker.ts';
import decoder from './decoder-worker.ts?worker&url';

export interface DecodeTask {
  readonly path: string;
  readonly file: File;
  readonly preprocessing: ImagePreprocessing;
}

export type DecodedPicture =
  | {
      readonly id: string;
      /** SHA-256 of its bytes, in hex. */
      readonly hash: string;
      /** [3, height, width], for the vision tower. */
      readonly pixels: Float32Array<ArrayBuffer>;
      readonly thumbnail: Uint8Array<ArrayBuffer>;
      /** Upright, in pixels. */
      readonly width: number;
      readonly height: number;
    }
  | {
      readonly reason: string;
      /** Whether it is the machine's fault, and not the picture's. */
      readonly isPassing: boolean;
    };

/** Milliseconds after which a picture counts as one that cannot be decoded. */
const patience = 60_000;

export class DecoderPool {
  readonly size: number;
  readonly #idle: Worker[] = [];
  readonly #waiting: ((worker: Worker) => void)[] = [];
  readonly #all = new Set<Worker>();

  constructor(size: number) {
    this.size = size;
  }

  async decode(task: DecodeTask): Promise<DecodedPicture> {
    const worker = await this.#take();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isLost = false;
    const outcome = await new Promise<DecodedPicture>((resolve) => {
      const lose = (reason: string) => {
        isLost = true;
        resolve({ reason, isPassing: false });
      };
      timer = setTimeout(() => lose('it takes more than a minute to decode'), patience);
      worker.onmessage = ({ data }) => resolve(data as DecodedPicture);
      worker.onerror = (event) => {
        event.preventDefault();
        lose('this browser fails at it, perhaps for want of memory');
      };
      worker.postMessage(task);
    });
    clearTimeout(timer);
    if (isLost) {
      worker.terminate();
      this.#all.delete(worker);
    }
    this.#give(isLost ? undefined : worker);
    return outcome;
  }

  close(): void {
    for (const worker of this.#all) worker.terminate();
    this.#all.clear();
    this.#idle.length = 0;
  }

  async #take(): Promise<Worker> {
    const idle = this.#idle.pop();
    if (idle) return idle;
    if (this.#all.size < this.size) return this.#start();
    return await new Promise((resolve) => this.#waiting.push(resolve));
  }

  #give(worker: Worker | undefined): void {
    const next = this.#waiting.shift();
    if (next) next(worker ?? this.#start());
    else if (worker) this.#idle.push(worker);
  }

  #start(): Worker {
    const worker = startWorker(new URL(decoder, import.meta.url).href);
    this.#all.add(worker);
    return worker;
  }
}
