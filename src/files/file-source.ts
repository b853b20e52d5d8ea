/** Files as sources of bytes: exact reads at a position, from a file that stays open or is reopened. */

import { existsSync, type Stats } from 'node:fs';
import { type FileHandle, open, readdir, realpath, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { LincirError, type ModelFiles, type RandomAccess, readJson } from '../core/index.ts';
import { pathOnDisk } from './path-on-disk.ts';
import { asLincirError } from './refusals.ts';

/** What the system says of a file or folder, through links. Undefined if nothing that can be reached is there. */
export async function statOf(path: string): Promise<Stats | undefined> {
  return await stat(path).catch(() => undefined);
}

/** Opens a file, passes it to `use`, and closes it in any case. Throws 'not-found', 'io' or 'bad-file'. */
export async function readingFile<T>(path: string, use: (file: FileSource) => Promise<T>): Promise<T> {
  const file = await openFile(path);
  try {
    return await use(file);
  } catch (error) {
    throw asLincirError(error, path, 'read');
  } finally {
    await file.close();
  }
}

/** Opens a file, which the caller closes. Throws 'not-found', 'io' or 'bad-file'. */
export async function openFile(path: string): Promise<FileSource> {
  try {
    const realPath = await realpath(await pathOnDisk(path));
    // Checked before opening, because opening a named pipe would wait for its writer.
    if (!(await stat(realPath)).isFile()) {
      throw new LincirError('bad-file', { subject: path, expected: 'a file', found: 'a folder or a device' });
    }
    const handle = await open(realPath);
    return new FileSource(path, realPath, handle, await handle.stat());
  } catch (error) {
    throw asLincirError(error, path, 'read');
  }
}

/** A file that can be read at any time, and that nobody has to close. Throws 'not-found', 'io' or 'bad-file'. */
export async function fileSource(path: string): Promise<FileSource> {
  const file = await openFile(path);
  file.closeWhenUnused();
  return file;
}

/** Reads a JSON file of at most `limit` bytes. Throws 'not-found', 'io' or 'bad-file'. */
export async function readJsonFile(path: string, limit?: number): Promise<unknown> {
  return await readingFile(path, (file) => readJson(file, limit));
}

/** The files of a model in a folder. */
export function folderFiles(folder: string): ModelFiles {
  return {
    name: folder,
    read: async (name) => {
      const path = join(folder, name);
      // An interrupted download can leave a link that leads nowhere. That is not a file.
      return existsSync(path) ? await fileSource(path) : undefined;
    },
    list: () =>
      readdir(folder).catch((error: unknown) => {
        throw asLincirError(error, folder, 'read');
      }),
  };
}

/** Describe a model's folder as a whole, and not a file in it. */
const ofWholeFolder = /^(config|preprocessor_config|processor_config)\.json$/;

/** A model that is one file, with what lies beside it: its tokenizer, and OpenCLIP's configuration. Throws as `fileSource` does. */
export async function singleFile(path: string): Promise<ModelFiles> {
  const beside = folderFiles(dirname(path));
  return {
    name: path,
    single: await fileSource(path),
    read: async (name) => (ofWholeFolder.test(name) ? undefined : await beside.read(name)),
  };
}

/**
 * An opened file. It stays open until it is closed. Later reads reopen it, and reads that follow each other closely share
 * this.
 */
export class FileSource implements RandomAccess {
  readonly name: string;
  readonly realPath: string;
  readonly size: number;
  /** Time of the last write, in milliseconds since 1970. */
  readonly modified: number;
  /** Time of the last change of any kind, which the system sets itself (ctime). */
  readonly statusChanged: number;
  #handle: Promise<FileHandle> | undefined;
  #isKept = true;
  #reads = 0;

  constructor(name: string, realPath: string, handle: FileHandle, stats: Stats) {
    this.name = name;
    this.realPath = realPath;
    this.size = stats.size;
    this.modified = stats.mtimeMs;
    this.statusChanged = stats.ctimeMs;
    this.#handle = Promise.resolve(handle);
  }

  /** @throws LincirError 'bad-file' for a range outside the file, or when another file has replaced it; 'io' */
  async read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    this.#reads += 1;
    try {
      if (offset + length > this.size) throw this.#tooShort(offset, length, this.size);
      this.#handle ??= this.#openAnew();
      return await this.#readFrom(await this.#handle, offset, length);
    } catch (error) {
      throw asLincirError(error, this.name, 'read');
    } finally {
      this.#reads -= 1;
      if (this.#isUnused) this.closeWhenUnused();
    }
  }

  async close(): Promise<void> {
    this.#isKept = false;
    await this.#closeUnused();
  }

  /** Reads that begin right away still share the open file. */
  closeWhenUnused(): void {
    this.#isKept = false;
    setImmediate(() => this.#closeUnused().catch(() => {}));
  }

  get #isUnused(): boolean {
    return !this.#isKept && this.#reads === 0;
  }

  async #closeUnused(): Promise<void> {
    if (!this.#isUnused) return;
    const handle = this.#handle;
    this.#handle = undefined;
    await (await handle?.catch(() => undefined))?.close();
  }

  async #openAnew(): Promise<FileHandle> {
    const handle = await open(this.realPath);
    const { size, mtimeMs } = await handle.stat();
    if (size === this.size && mtimeMs === this.modified) return handle;
    await handle.close();
    throw new LincirError('bad-file', {
      subject: this.name,
      expected: 'a file that is unchanged since it was opened',
      found: 'one that was written since',
      todo: 'do not change it while it is read, and start again',
    });
  }

  async #readFrom(handle: FileHandle, offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(length);
    let done = 0;
    while (done < length) {
      const wanted = Math.min(length - done, bytesPerRead);
      const { bytesRead } = await handle.read(bytes, done, wanted, offset + done);
      if (bytesRead === 0) throw this.#tooShort(offset, length, offset + done);
      done += bytesRead;
    }
    return bytes;
  }

  #tooShort(offset: number, length: number, size: number): LincirError {
    return new LincirError('bad-file', {
      subject: this.name,
      expected: `bytes ${offset} to ${offset + length}`,
      found: `a file of ${size} bytes`,
      todo: 'it may have changed or been cut short: get it again',
    });
  }
}

/** The system may return less than was asked for, and Node takes at most 2^31 - 1 bytes at once. */
const bytesPerRead = 2 ** 30;
