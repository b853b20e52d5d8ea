/** Room on disk for what does not fit into memory: files without names, which are gone when the process ends in any way. */

import { closeSync, mkdirSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { formatBytes, LincirError } from '../core/index.ts';
import { asideIn } from './asides.ts';
import { cacheFolder } from './cache-folder.ts';
import { asLincirError } from './refusals.ts';
import { makeFolder } from './write-file.ts';

/** A folder for scratch files. */
export class Scratch {
  readonly #folder: string;
  readonly #path: string;

  private constructor(folder: string, path: string) {
    this.#folder = folder;
    this.#path = path;
  }

  static async in(folder = cacheFolder()): Promise<Scratch> {
    return new Scratch(folder, await asideIn(folder));
  }

  /** Throws LincirError 'io' if the disk has not so many bytes left. */
  async expectRoom(bytes: number): Promise<void> {
    await makeFolder(this.#folder);
    const { bavail, bsize } = await statfs(this.#folder);
    if (bavail * bsize >= bytes) return;
    throw new LincirError('io', {
      subject: this.#folder,
      expected: `${formatBytes(bytes)} for temporary files`,
      found: `${formatBytes(bavail * bsize)}`,
      todo: elsewhere,
    });
  }

  file(): ScratchFile {
    try {
      mkdirSync(this.#folder, { recursive: true });
      return new ScratchFile(this.#folder, this.#path);
    } catch (error) {
      throw scratchError(error, this.#folder);
    }
  }
}

/** Close it. Methods throw LincirError 'io'. */
export class ScratchFile {
  readonly #folder: string;
  readonly #file: number;
  #length = 0;

  constructor(folder: string, path: string) {
    this.#folder = folder;
    this.#file = openSync(path, 'wx+', 0o600);
    rmSync(path); // The file stays until it is closed.
  }

  get length(): number {
    return this.#length;
  }

  append(bytes: Uint8Array): void {
    this.write(bytes, this.#length);
  }

  write(bytes: Uint8Array, position: number): void {
    try {
      for (let done = 0; done < bytes.length; ) {
        done += writeSync(this.#file, bytes, done, bytes.length - done, position + done);
      }
      this.#length = Math.max(this.#length, position + bytes.length);
    } catch (error) {
      throw scratchError(error, this.#folder);
    }
  }

  /** Fills `bytes`, or as much of it as the file has. Returns how much. */
  read(bytes: Uint8Array, position: number): number {
    try {
      let done = 0;
      while (done < bytes.length) {
        const read = readSync(this.#file, bytes, done, bytes.length - done, position + done);
        if (read === 0) break;
        done += read;
      }
      return done;
    } catch (error) {
      throw scratchError(error, this.#folder);
    }
  }

  close(): void {
    closeSync(this.#file);
  }
}

const elsewhere = 'free some space, or set LINCIR_CACHE to a folder on another disk';

function scratchError(error: unknown, folder: string): unknown {
  const known = asLincirError(error, folder, 'write');
  if (!(known instanceof LincirError)) return known;
  const { expected: _, ...problem } = known.problem;
  return new LincirError('io', { ...problem, expected: 'room for temporary files', todo: elsewhere });
}
