/** Reads and preprocesses images on threads, ahead of the encoder, which blocks its own thread. */

import { availableParallelism } from 'node:os';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { ImagePreprocessing, PreprocessOptions } from '../clip/index.ts';
import { LincirError } from '../core/index.ts';
import { newBudget } from '../decoding/index.ts';
import { largestPicture, unfitSize } from './bytes.ts';
import type { Exif } from './exif.ts';
import { type FoundImage, reasonOf } from './files.ts';

interface ReaderSettings extends Pick<PreprocessOptions, 'targetPad' | 'maxPixels' | 'isStored'> {
  readonly preprocessing: ImagePreprocessing;
}

/** Options of a thread. */
export interface ReaderTask extends ReaderSettings {
  /** Memory shared by all threads. */
  readonly budget: SharedArrayBuffer;
}

interface ReaderOptions extends ReaderSettings {
  /** Default: one for every two cores. */
  readonly threads?: number;
  /** Images in work at once, which bounds the memory. */
  readonly ahead: number;
}

/** What to read, and the hashes of contents whose pixels nobody needs. */
export interface WantedImage {
  readonly picture: FoundImage;
  readonly known: readonly string[];
  /** Whether its facts are needed even if its contents are known. */
  readonly isUndescribed?: boolean;
}

/** What an image's file says about it, and its upright size in pixels. */
export interface PhotoFacts extends Exif {
  readonly width: number;
  readonly height: number;
}

/** The outcome for an image, with its size and times when it was read. */
export type ReadImage =
  | (Pick<FoundImage, 'size' | 'modified' | 'statusChanged'> & {
      /** SHA-256, in hex. */
      readonly hash: string;
      /** [3, height, width], for the vision tower. Absent for known contents. */
      readonly pixels?: Float32Array<ArrayBuffer>;
      /** Absent for known contents that have a description. */
      readonly photo?: PhotoFacts;
    })
  /** It cannot be used. */
  | { readonly reason: string };

export type ImageRequest = Omit<WantedImage, 'picture'> & {
  readonly number: number;
  readonly picture: Omit<FoundImage, 'load'>;
  /** What no thread can read. */
  readonly bytes?: Uint8Array<ArrayBuffer> | undefined;
};
export type ImageAnswer = ReadImage | { readonly failed: unknown };

interface Waiting {
  readonly resolve: (read: ReadImage) => void;
  readonly reject: (error: unknown) => void;
}

/** Images in memory, undecoded, for each thread: of those that no thread can read itself. */
const loadedPerThread = 4;

/** The threads. Owns them: close it. */
export class ImageReader {
  readonly #workers: readonly Worker[];
  readonly #ahead: number;
  readonly #waiting = new Map<number, Waiting>();
  #asked = 0;
  #failed: unknown;

  constructor({
    threads = Math.max(1, Math.floor(availableParallelism() / 2)),
    ahead,
    ...settings
  }: ReaderOptions) {
    // After compilation, this file and the worker end in .js.
    const file = new URL(`./reader-worker${extname(import.meta.url)}`, import.meta.url);
    const task: ReaderTask = { ...settings, budget: newBudget() };
    this.#ahead = ahead;
    this.#workers = Array.from({ length: threads }, () => {
      const worker = new Worker(file, { workerData: task });
      worker.on('message', ({ number, answer }: { number: number; answer: ImageAnswer }) => {
        const { resolve, reject } = this.#waiting.get(number)!;
        this.#waiting.delete(number);
        if ('failed' in answer) reject(answer.failed);
        else resolve(answer);
      });
      worker.on('error', (error) => {
        this.#failed = error;
        for (const { reject } of this.#waiting.values()) reject(error);
        this.#waiting.clear();
      });
      return worker;
    });
  }

  /** All requested images, in order, each with its outcome. */
  async *read<Wanted extends WantedImage>(
    all: AsyncIterable<Wanted>,
  ): AsyncGenerator<{ readonly wanted: Wanted; readonly read: ReadImage }, void, void> {
    const queue: { wanted: Wanted; read: Promise<ReadImage> }[] = [];
    const loading: Promise<unknown>[] = [];
    for await (const wanted of all) {
      const isLoaded = wanted.picture.load !== undefined;
      if (isLoaded && loading.length >= loadedPerThread * this.#workers.length) {
        await loading.shift()!.catch(() => {}); // reported when it is taken
      }
      const asked = this.#ask(wanted);
      if (isLoaded) loading.push(asked);
      queue.push({ wanted, read: asked });
      if (queue.length < this.#ahead) continue;
      const { wanted: first, read } = queue.shift()!;
      yield { wanted: first, read: await read };
    }
    for (const { wanted, read } of queue) yield { wanted, read: await read };
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }

  #ask({ picture: { load, ...picture }, known, isUndescribed = false }: WantedImage): Promise<ReadImage> {
    if (this.#failed !== undefined) return Promise.reject(this.#failed);
    const number = this.#asked;
    this.#asked += 1;
    const read = new Promise<ReadImage>((resolve, reject) => this.#waiting.set(number, { resolve, reject }));
    read.catch(() => {}); // reported when it is taken
    const send = (bytes?: Uint8Array<ArrayBuffer>) => {
      const request: ImageRequest = { number, picture, known, isUndescribed, bytes };
      this.#workers[number % this.#workers.length]!.postMessage(request, bytes ? [bytes.buffer] : []);
    };
    if (load) {
      const size = picture.size > 0 && picture.size <= largestPicture ? undefined : picture.size;
      const loaded = size === undefined ? load() : Promise.reject(unfitSize(picture.path, size));
      loaded.then(send, (error: unknown) => {
        const { resolve, reject } = this.#waiting.get(number)!;
        this.#waiting.delete(number);
        if (error instanceof LincirError && error.code === 'bad-file') resolve({ reason: reasonOf(error) });
        else reject(error);
      });
    } else send();
    return read;
  }
}
