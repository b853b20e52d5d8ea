/** A file that begins complete, and then grows by whole records: a run's logs. */

import { type FileHandle, open } from 'node:fs/promises';
import { asLincirError, writeFileAtomically } from '../files/index.ts';

/** A log of records, which `encode` turns into bytes. Owns an open file: close it. */
export class GrowingFile<Entry> {
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #encode: (record: Entry) => Uint8Array;
  #size: number;

  private constructor(path: string, file: FileHandle, size: number, encode: (record: Entry) => Uint8Array) {
    this.#path = path;
    this.#file = file;
    this.#size = size;
    this.#encode = encode;
  }

  /** Replaces the file at `path` by one with the contents `beginning`. Throws 'io' and what `beginning` throws. */
  static async create<Entry>(
    path: string,
    beginning: AsyncIterable<string | Uint8Array>,
    encode: (record: Entry) => Uint8Array,
  ): Promise<GrowingFile<Entry>> {
    await writeFileAtomically(path, (file) => file.writeFile(beginning));
    try {
      const file = await open(path, 'r+');
      return new GrowingFile(path, file, (await file.stat()).size, encode);
    } catch (error) {
      throw asLincirError(error, path, 'write');
    }
  }

  /**
   * Adds a record, which survives the end of the process. Await it before the next one. A record that failed does not
   * count: the next one overwrites it. Throws 'io'.
   */
  async append(record: Entry): Promise<void> {
    const piece = this.#encode(record);
    try {
      for (let at = 0; at < piece.length; ) {
        at += (await this.#file.write(piece, at, piece.length - at, this.#size + at)).bytesWritten;
      }
    } catch (error) {
      throw asLincirError(error, this.#path, 'write');
    }
    this.#size += piece.length;
  }

  /** Flushes everything to the disk. Call it before a checkpoint, so that a power failure cannot lose steps. Throws 'io'. */
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
