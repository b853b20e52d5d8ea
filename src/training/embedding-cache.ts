/** Keeps captions' embeddings on disk, because the frozen tower would make the same ones in every epoch. */

import { closeSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs';
import { asLincirError } from '../files/index.ts';
import { knownOrMade, type MakeEmbeddings } from './known-embeddings.ts';

/**
 * A file with a record for each caption: its embedding, and the step that made it. Records that an interrupted run wrote
 * after its last saved step are not used, because a run without interruption would not have them yet. So the same
 * embeddings are computed together, and even their last bits stay the same. Owns an open file: close it.
 */
export class EmbeddingCache {
  readonly #path: string;
  readonly #file: number;
  readonly #size: number;
  /** Steps done when this process began. */
  readonly #begin: number;
  /** A bit for each caption whose embedding this process has made. */
  readonly #made: Uint8Array;

  /**
   * @param captions how many there are
   * @param size numbers of an embedding
   * @param begin steps that the run has done
   * @throws LincirError 'io'
   */
  constructor(path: string, captions: number, size: number, begin: number) {
    this.#path = path;
    this.#size = size;
    this.#begin = begin;
    this.#made = new Uint8Array(Math.ceil(captions / 8));
    this.#file = this.#guarded(() => {
      closeSync(openSync(path, 'a')); // makes it if there is none
      return openSync(path, 'r+');
    });
  }

  /**
   * The embeddings of captions, by their numbers: [captions, size]. Missing ones are computed, once for each caption.
   * @param step at which this happens, counted from 1
   */
  async embeddings(numbers: readonly number[], step: number, make: MakeEmbeddings): Promise<Float32Array> {
    const store = {
      read: (number: number, into: Float32Array) => this.#read(number, into),
      write: (number: number, embedding: Float32Array) => this.#write(number, embedding, step),
    };
    return await knownOrMade(store, this.#size, numbers, make);
  }

  /** Flushes everything to the disk. */
  flush(): void {
    this.#guarded(() => fsyncSync(this.#file));
  }

  close(): void {
    closeSync(this.#file);
  }

  /** Reads an embedding into `into`, and returns whether there is one to use. */
  #read(number: number, into: Float32Array): boolean {
    const record = new Uint8Array(4 * this.#size + 4);
    const length = this.#guarded(() =>
      readSync(this.#file, record, 0, record.length, number * record.length),
    );
    const step = length < record.length ? 0 : new DataView(record.buffer).getUint32(4 * this.#size, true);
    const isMade = (this.#made[number >> 3]! >> (number & 7)) & 1;
    if (!isMade && (step === 0 || step > this.#begin)) return false;
    into.set(new Float32Array(record.buffer, 0, this.#size));
    return true;
  }

  #write(number: number, embedding: Float32Array, step: number): void {
    const record = new Uint8Array(4 * this.#size + 4);
    new Float32Array(record.buffer, 0, this.#size).set(embedding);
    new DataView(record.buffer).setUint32(4 * this.#size, step, true);
    this.#guarded(() => {
      for (let done = 0; done < record.length; ) {
        const place = number * record.length + done;
        done += writeSync(this.#file, record, done, record.length - done, place);
      }
    });
    this.#made[number >> 3]! |= 1 << (number & 7);
  }

  #guarded<Result>(work: () => Result): Result {
    try {
      return work();
    } catch (error) {
      throw asLincirError(error, this.#path, 'write');
    }
  }
}
