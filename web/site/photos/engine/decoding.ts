/** Decodes and preprocesses pictures on workers of their own, ahead of the model, and survives pictures that end them. */

import type { ImagePreprocessing } from '../../../../src/clip/index.ts';
import type { Exif } from '../../../../src/pictures/portable.ts';
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
      readonly photo: Exif;
    }
  | {
      readonly reason: string;
      /** Whether it is the machine's fault, and not the picture's. */
      readonly isPassing: boolean;
    };

/** A decoder says this when it has read the file: what happens from then on is the picture's fault. */
export const hasRead = 'read';

/** Milliseconds after which a picture counts as one that cannot be read, or decoded. */
const patience = 60_000;

export class DecoderPool {
  readonly size: number;
  readonly #idle: Worker[] = [];
  readonly #waiting: ((worker: Worker) => void)[] = [];
  readonly #all = new Set<Worker>();
  readonly #closed = Promise.withResolvers<never>();

  constructor(size: number) {
    this.size = size;
    this.#closed.promise.catch(() => {});
  }

  /** Throws if the pool is closed meanwhile. */
  async decode(task: DecodeTask): Promise<DecodedPicture> {
    const worker = await Promise.race([this.#take(), this.#closed.promise]);
    const outcome = await Promise.race([decodeOn(worker, task), this.#closed.promise]);
    if (outcome.isLost) {
      worker.terminate();
      this.#all.delete(worker);
    }
    this.#give(outcome.isLost ? undefined : worker);
    return outcome.picture;
  }

  close(): void {
    this.#closed.reject(new Error('the pool is closed'));
    for (const worker of this.#all) worker.terminate();
    this.#all.clear();
    this.#idle.length = 0;
    this.#waiting.length = 0;
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

/** Whether the worker is lost, too: it hangs, or has ended. */
async function decodeOn(
  worker: Worker,
  task: DecodeTask,
): Promise<{ readonly picture: DecodedPicture; readonly isLost: boolean }> {
  const { promise, resolve } = Promise.withResolvers<{ picture: DecodedPicture; isLost: boolean }>();
  let isPassing = true;
  const lose = (whileReading: string, whileDecoding: string) =>
    resolve({ picture: { reason: isPassing ? whileReading : whileDecoding, isPassing }, isLost: true });
  const onLate = () =>
    lose('its file takes more than a minute to read', 'it takes more than a minute to decode');
  let timer = setTimeout(onLate, patience);
  worker.onmessage = ({ data }) => {
    if (data !== hasRead) return resolve({ picture: data as DecodedPicture, isLost: false });
    isPassing = false;
    clearTimeout(timer);
    timer = setTimeout(onLate, patience);
  };
  worker.onerror = (event) => {
    event.preventDefault();
    lose('what decodes pictures does not start', 'this browser fails at it, perhaps for want of memory');
  };
  worker.postMessage(task);
  return await promise.finally(() => clearTimeout(timer));
}
