/** A file that begins complete, and then grows by whole pieces, for a run's logs. */

import { type FileHandle, open } from 'node:fs/promises';
import { asLincirError, writeFileAtomically } from '../files/index.ts';

/** Owns an open file: close it. */
export class GrowingFile {
  readonly #path: string;
  readonly #file: FileHandle;
  #size: number;

  private constructor(path: string, file: FileHandle, size: number) {
    this.#path = path;
    this.#file = file;
    this.#size = size;
  }

  /** Replaces the file at `path` by one with the contents `beginning`. Throws 'io' and what `beginning` throws. */
  static async create(path: string, beginning: AsyncIterable<string | Uint8Array>): Promise<GrowingFile> {
    await writeFileAtomically(path, (file) => file.writeFile(beginning));
    try {
      const file = await open(path, 'r+');
      return new GrowingFile(path, file, (await file.stat()).size);
    } catch (error) {
      throw asLincirError(error, path, 'write');
    }
  }

  /**
   * Adds a piece. Await it before the next one. A piece that failed does not count: the next one overwrites it.
   * Throws 'io'.
   */
  async append(piece: Uint8Array): Promise<void> {
    try {
      for (let at = 0; at < piece.length; ) {
        at += (await this.#file.write(piece, at, piece.length - at, this.#size + at)).bytesWritten;
      }
    } catch (error) {
      throw asLincirError(error, this.#path, 'write');
    }
    this.#size += piece.length;
  }

  /** Flushes everything to the disk, so that it survives even a power failure. Throws 'io'. */
  async flush(): Promise<void> {
    try {
      await this.#file.datasync();
    } catch (error) {
      throw asLincirError(error, this.#path, 'write');
    }
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}
