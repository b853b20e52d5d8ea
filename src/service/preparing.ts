/** What the threads that prepare images are asked, and what they answer. */

import { extname } from 'node:path';
import { isMarkedAsUntransferable } from 'node:worker_threads';
import type { ImagePreprocessing } from '../clip/index.ts';
import { newBudget } from '../decoding/index.ts';
import { Thread } from './thread.ts';

/** Bytes to hash, or an encoded image to preprocess. */
export type PreparingQuestion =
  | { readonly kind: 'hash'; readonly bytes: Uint8Array<ArrayBuffer> }
  | {
      readonly kind: 'image';
      readonly bytes: Uint8Array<ArrayBuffer>;
      /** Its name in errors. */
      readonly name: string;
      readonly preprocessing: ImagePreprocessing;
      readonly targetPad: number | null;
      /** Pixels of a thumbnail's side; undefined for none. */
      readonly thumbnailSide: number | undefined;
    };

/** The bytes come back: they were moved, not copied. */
export type PreparingAnswer =
  | { readonly kind: 'hash'; readonly hash: string; readonly bytes: Uint8Array<ArrayBuffer> }
  | ({ readonly kind: 'image' } & PreparedImage);

export interface PreparedImage {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** [3, height, width], for the vision tower. */
  readonly pixels: Float32Array<ArrayBuffer>;
  /** Upright. */
  readonly width: number;
  readonly height: number;
  /** JPEG. */
  readonly thumbnail: Uint8Array<ArrayBuffer> | undefined;
}

/** A thread that hashes, decodes and preprocesses images. It takes their bytes. */
export class PreparingThread {
  readonly #thread: Thread<PreparingQuestion, PreparingAnswer>;

  constructor() {
    // After compilation, this file and the worker end in .js.
    const file = new URL(`./preparing-worker${extname(import.meta.url)}`, import.meta.url);
    this.#thread = new Thread(file, newBudget());
  }

  async run(question: PreparingQuestion): Promise<PreparingAnswer> {
    return await this.#thread.ask(question, [question.bytes.buffer]);
  }

  async close(): Promise<void> {
    await this.#thread.close();
  }
}

/** Bytes that can be moved: alone in their memory. */
export function ownBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer } = bytes;
  const isAlone = buffer instanceof ArrayBuffer && bytes.byteLength === buffer.byteLength;
  return isAlone && !isMarkedAsUntransferable(buffer)
    ? (bytes as Uint8Array<ArrayBuffer>)
    : new Uint8Array(bytes);
}
