/** Keeps thumbnails in memory and on disk, by the contents of their images. Both have a limit. */

import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { asideIn } from '../../files/index.ts';

interface CacheOptions {
  /** Absent: thumbnails are kept in memory alone. */
  readonly folder?: string;
  readonly memoryBytes?: number;
  readonly diskBytes?: number;
}

/** After the disk was full, so much of it is kept. */
const keptPart = 0.8;
const jpegBegins = Buffer.from([0xff, 0xd8]);
const jpegEnds = Buffer.from([0xff, 0xd9]);

export class ThumbnailCache {
  readonly #folder: string | undefined;
  readonly #memoryBytes: number;
  readonly #diskBytes: number;
  /** The least recently used first. */
  readonly #memory = new Map<string, Uint8Array<ArrayBuffer>>();
  #inMemory = 0;
  /** Bytes on disk; undefined until they have been counted. */
  #onDisk: number | undefined;
  /** Writes to the disk, one after the other: nobody waits for them. */
  #writing = Promise.resolve();

  constructor({ folder, memoryBytes = 2 ** 26, diskBytes = 2 ** 30 }: CacheOptions = {}) {
    this.#folder = folder;
    this.#memoryBytes = memoryBytes;
    this.#diskBytes = diskBytes;
  }

  async get(hash: string, side: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const key = `${hash}-${side}`;
    const known = this.#memory.get(key) ?? (await this.#read(key));
    if (known) this.#remember(key, known);
    return known;
  }

  put(hash: string, side: number, jpeg: Uint8Array<ArrayBuffer>): void {
    const key = `${hash}-${side}`;
    this.#remember(key, jpeg);
    // What cannot be written is made again the next time.
    this.#writing = this.#writing.then(() => this.#write(key, jpeg)).catch(() => {});
  }

  /** When all has been written. */
  async settled(): Promise<void> {
    await this.#writing;
  }

  #remember(key: string, jpeg: Uint8Array<ArrayBuffer>): void {
    this.#inMemory += jpeg.length - (this.#memory.get(key)?.length ?? 0);
    this.#memory.delete(key);
    this.#memory.set(key, jpeg);
    for (const [oldest, { length }] of this.#memory) {
      if (this.#inMemory <= this.#memoryBytes) break;
      this.#memory.delete(oldest);
      this.#inMemory -= length;
    }
  }

  async #read(key: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const path = this.#pathOf(key);
    const bytes = path === undefined ? undefined : await readFile(path).catch(() => undefined);
    if (bytes === undefined) return undefined;
    // After a power failure, a file may be there without its contents.
    const isWhole = bytes.subarray(0, 2).equals(jpegBegins) && bytes.subarray(-2).equals(jpegEnds);
    return isWhole ? new Uint8Array(bytes) : undefined;
  }

  async #write(key: string, jpeg: Uint8Array<ArrayBuffer>): Promise<void> {
    const path = this.#pathOf(key);
    if (path === undefined) return;
    const folder = join(path, '..');
    // These show what is in somebody's images.
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const aside = await asideIn(folder);
    try {
      await writeFile(aside, jpeg);
      await rename(aside, path);
    } catch (error) {
      await rm(aside, { force: true });
      throw error;
    }
    this.#onDisk = (this.#onDisk ?? (await this.#makeRoom())) + jpeg.length;
    if (this.#onDisk > this.#diskBytes) this.#onDisk = await this.#makeRoom();
  }

  /** Removes the oldest if there are too many. Returns how many bytes are left. */
  async #makeRoom(): Promise<number> {
    const files: { readonly path: string; readonly size: number; readonly written: number }[] = [];
    for (const name of await readdir(this.#folder!)) {
      const folder = join(this.#folder!, name);
      for (const file of await readdir(folder).catch(() => [])) {
        const path = join(folder, file);
        const facts = await stat(path).catch(() => undefined);
        if (facts) files.push({ path, size: facts.size, written: facts.mtimeMs });
      }
    }
    let left = files.reduce((sum, { size }) => sum + size, 0);
    if (left <= this.#diskBytes) return left;
    for (const { path, size } of files.sort((a, b) => a.written - b.written)) {
      if (left <= this.#diskBytes * keptPart) break;
      await rm(path, { force: true }).catch(() => {});
      left -= size;
    }
    return left;
  }

  /** Undefined if nothing is kept on disk. What an index calls a hash might be anything. */
  #pathOf(key: string): string | undefined {
    if (this.#folder === undefined || !/^[\da-f]{64}-\d{1,4}$/.test(key)) return undefined;
    return join(this.#folder, key.slice(0, 2), `${key}.jpg`);
  }
}
