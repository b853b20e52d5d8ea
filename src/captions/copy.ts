/** Stores all captions of a run in one folder, where each is found by its number. Training then needs no source. */

import { closeSync, openSync, readSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { LincirError } from '../core/index.ts';
import { asLincirError, makeFolder, readJsonFile, writeJsonFile } from '../files/index.ts';
import type { CaptionPlace } from './order.ts';
import {
  brokenStore,
  bytesPerEnd,
  type CopiedSource,
  type CopyOptions,
  copyFiles,
  copySchema,
  copySource,
  expectWhole,
  finishedCopy,
  type SourceCopy,
} from './source-copy.ts';
import type { CaptionSource } from './sources.ts';

/** Progress of building a copy. */
export interface CaptionCopyProgress {
  /** Name of the current source. */
  readonly source: string;
  readonly sources: number;
  /** Number of complete sources. */
  readonly done: number;
  /** Captions stored, from all sources. */
  readonly captions: number;
}

interface BuildOptions extends CopyOptions {
  readonly onProgress?: (progress: CaptionCopyProgress) => void;
}

type WeightedCopy = SourceCopy & { readonly weight: number };

const listSchema = z.object({ sources: z.array(copySchema.extend({ weight: z.number() })) });

/** Limit of open files. Each source has two; a copy may have thousands of sources, but a process few thousand files. */
const openLimit = 128;
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A complete copy. Owns open files: close it. */
export class CaptionCopy {
  readonly sources: readonly CopiedSource[];
  readonly #files: readonly ReturnType<typeof copyFiles>[];
  readonly #copies: readonly WeightedCopy[];
  /** Descriptors by path, in the order in which they were opened. */
  readonly #open = new Map<string, number>();

  private constructor(folder: string, copies: readonly WeightedCopy[]) {
    this.#files = copies.map((_, number) => copyFiles(folder, number));
    this.#copies = copies;
    this.sources = copies.map(({ textBytes, longest, ...source }) => source);
  }

  /**
   * Copies all captions of the sources into `folder`, with a few MiB of memory besides what a source takes. Whatever an
   * earlier call finished is kept, however it ended: a source with the same name, origin, size and version at the same
   * place is not read again, and its left-out rows are not reported again. Everything else is replaced. Half a surrogate
   * pair, which UTF-8 cannot encode, becomes U+FFFD.
   * @throws LincirError 'bad-file' for a source without any caption, 'io', the signal's reason, and what sources throw
   */
  static async build(
    folder: string,
    sources: readonly CaptionSource[],
    options: BuildOptions = {},
  ): Promise<CaptionCopy> {
    const list = listFile(folder);
    const copies: WeightedCopy[] = [];
    try {
      await makeFolder(folder);
      for (const [number, source] of sources.entries()) {
        const before = copies.reduce((sum, { captions }) => sum + captions, 0);
        const tell = (captions: number): void =>
          options.onProgress?.({
            source: source.name,
            sources: sources.length,
            done: copies.length,
            captions: before + captions,
          });
        let copy = await finishedCopy(folder, number, source);
        if (copy === undefined) {
          await rm(list, { force: true });
          copy = await copySource(folder, number, source, options, tell);
        }
        copies.push({ ...copy, weight: source.weight });
        tell(copy.captions);
      }
      await writeJsonFile(list, { sources: copies });
      return new CaptionCopy(folder, copies);
    } catch (error) {
      throw asLincirError(error, folder, 'write');
    }
  }

  /** Throws LincirError 'not-found' for a folder without a complete copy, 'bad-file' for incomplete files, 'io'. */
  static async open(folder: string): Promise<CaptionCopy> {
    const list = listFile(folder);
    const content = await readJsonFile(list).catch((error: unknown) => {
      if (!(error instanceof LincirError)) throw error;
      if (error.code === 'bad-file') throw brokenStore(list, 'a list in JSON', 'something else', error);
      if (error.code !== 'not-found') throw error;
      throw new LincirError('not-found', {
        subject: folder,
        expected: 'a copy of captions that has been built to its end',
        found: 'none',
        todo: 'build it, from the sources of the captions',
        cause: error,
      });
    });
    const parsed = listSchema.safeParse(content);
    if (!parsed.success) throw brokenStore(list, 'a list of sources', 'other JSON', parsed.error);
    for (const [number, copy] of parsed.data.sources.entries()) await expectWhole(folder, number, copy);
    return new CaptionCopy(folder, parsed.data.sources);
  }

  /**
   * The captions at these places, in this order; memory holds nothing else. The thread waits for the disk: that takes 3 µs
   * a caption if the system has it in memory, where a way without waiting takes eight times as long.
   * @throws LincirError 'bad-argument' for a place that is not there, 'bad-file' for a copy that is broken, 'io'
   */
  async read(wanted: readonly CaptionPlace[]): Promise<string[]> {
    return wanted.map((place) => this.#caption(place));
  }

  async close(): Promise<void> {
    for (const file of this.#open.values()) closeSync(file);
    this.#open.clear();
  }

  #caption({ source, index }: CaptionPlace): string {
    const copy = this.#copies[source];
    if (!(copy && Number.isInteger(index) && index >= 0 && index < copy.captions)) {
      throw new LincirError('bad-argument', {
        subject: `caption ${index} of source ${source}`,
        expected: copy ? `a number below ${copy.captions}` : `a source below ${this.#copies.length}`,
        found: 'none of this number',
      });
    }
    const { text, ends } = this.#files[source]!;
    const first = Math.max(0, index - 1); // also the end of the caption before, where there is one
    const borders = this.#bytes(ends, first * bytesPerEnd, (index - first + 1) * bytesPerEnd);
    const begin = index === 0 ? 0 : Number(borders.readBigUInt64LE());
    const end = Number(borders.readBigUInt64LE(borders.length - bytesPerEnd));
    if (!(begin <= end && end <= copy.textBytes && end - begin <= copy.longest)) {
      const found = `one from ${begin} to ${end}`;
      throw brokenStore(ends, `a caption ${index} within ${copy.textBytes} bytes`, found);
    }
    const bytes = this.#bytes(text, begin, end - begin);
    try {
      return decoder.decode(bytes);
    } catch (cause) {
      throw brokenStore(text, `UTF-8 from ${begin} to ${end}`, 'other bytes', cause);
    }
  }

  #bytes(path: string, position: number, length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length);
    try {
      for (let done = 0; done < length; ) {
        const read = readSync(this.#descriptor(path), bytes, done, length - done, position + done);
        if (read === 0) throw brokenStore(path, `bytes up to ${position + length}`, 'an end before');
        done += read;
      }
      return bytes;
    } catch (error) {
      throw asLincirError(error, path, 'read');
    }
  }

  #descriptor(path: string): number {
    const known = this.#open.get(path);
    if (known !== undefined) return known;
    if (this.#open.size === openLimit) {
      const [oldest, file] = this.#open.entries().next().value!;
      this.#open.delete(oldest);
      closeSync(file);
    }
    const file = openSync(path, 'r');
    this.#open.set(path, file);
    return file;
  }
}

function listFile(folder: string): string {
  return join(folder, 'captions.json');
}
