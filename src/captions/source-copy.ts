/** The copy of one source's captions on disk: their text, the end of each, and a note that both are complete. */

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { checkedValue, LincirError } from '../core/index.ts';
import { readingFile, readJsonFile, writeJsonFile } from '../files/index.ts';
import type { OnLeftOut } from './rows.ts';
import type { CaptionSource } from './sources.ts';

const count = z.int().nonnegative();

/** Facts about a source when it was copied. */
export const sourceSchema = z.object({
  name: z.string(),
  origin: z.string(),
  weight: z.number(),
  /** Size of the source, compressed if it is. */
  bytes: count,
  /** The time of the file's last change, and the columns that were looked for. */
  version: z.string(),
  captions: z.int().positive(),
  /** Rows without a usable caption. */
  leftOut: count,
  /**
   * SHA-256 of the captions in UTF-8, back to back, followed by the end of each in bytes, as little-endian uint64. The
   * copy's files are exactly that: `cat 0000.text 0000.ends | sha256sum`.
   */
  sha256: z.string(),
});

/** The same without what may change, and the bytes of all captions, and of the longest, in UTF-8. */
export const copySchema = sourceSchema.omit({ weight: true }).extend({ textBytes: count, longest: count });

export type CopiedSource = Readonly<z.output<typeof sourceSchema>>;
export type SourceCopy = z.output<typeof copySchema>;

export interface CopyOptions {
  readonly onLeftOut?: OnLeftOut;
  readonly signal?: AbortSignal;
}

/** Bytes of an entry in the file of ends: a little-endian uint64. */
export const bytesPerEnd = 8;

const bytesPerWrite = 2 ** 20;
const captionsPerWrite = 2 ** 16;
/** The most bytes of UTF-8 for a unit of a JavaScript string. */
const bytesPerUnit = 3;

/** The files of the source with this number. */
export function copyFiles(folder: string, number: number) {
  const file = (ending: string) => join(folder, `${String(number).padStart(4, '0')}.${ending}`);
  return { text: file('text'), ends: file('ends'), note: file('json') };
}

/** The copy that an earlier run finished; undefined if there is none, or if it is another source's. */
export async function finishedCopy(
  folder: string,
  number: number,
  { name, origin, bytes, version }: CaptionSource,
): Promise<SourceCopy | undefined> {
  try {
    const copy = checkedValue(copySchema, await readJsonFile(copyFiles(folder, number).note), 'note');
    if (copy.name !== name || copy.origin !== origin) return undefined;
    if (copy.bytes !== bytes || copy.version !== version) return undefined;
    await expectWhole(folder, number, copy);
    return copy;
  } catch (error) {
    if (error instanceof LincirError && ['not-found', 'bad-file'].includes(error.code)) return undefined;
    throw error;
  }
}

/**
 * Copies a source. The note is written when the captions are on the disk. `onStored` is called after every MiB.
 * @throws LincirError 'bad-file' for a source without any caption, errors of the system, and what the source throws
 */
export async function copySource(
  folder: string,
  number: number,
  source: CaptionSource,
  options: CopyOptions,
  onStored: (captions: number) => void,
): Promise<SourceCopy> {
  const files = copyFiles(folder, number);
  const hash = createHash('sha256');
  const { name, origin, bytes, version } = source;
  const sums = { captions: 0, leftOut: 0, textBytes: 0, longest: 0 };

  await rm(files.note, { force: true });
  await writing(files.text, (text) =>
    writing(files.ends, async (ends) => {
      let chunk = Buffer.allocUnsafe(bytesPerWrite);
      let used = 0;
      const chunkEnds = Buffer.allocUnsafe(captionsPerWrite * bytesPerEnd);
      let endsUsed = 0;
      const flush = async (): Promise<void> => {
        hash.update(chunk.subarray(0, used));
        await text.writeFile(chunk.subarray(0, used));
        await ends.writeFile(chunkEnds.subarray(0, endsUsed));
        [used, endsUsed] = [0, 0];
        onStored(sums.captions);
      };
      const onLeftOut: OnLeftOut = (where, reason) => {
        sums.leftOut += 1;
        options.onLeftOut?.(where, reason);
      };
      const { signal } = options;
      for await (const captions of source.captions({ onLeftOut, signal })) {
        signal?.throwIfAborted();
        for (const caption of captions) {
          const room = caption.length * bytesPerUnit;
          if (used + room > chunk.length || endsUsed === chunkEnds.length) await flush();
          if (room > chunk.length) chunk = Buffer.allocUnsafe(room);
          const length = chunk.write(caption, used);
          used += length;
          sums.captions += 1;
          sums.textBytes += length;
          sums.longest = Math.max(sums.longest, length);
          endsUsed = chunkEnds.writeBigUInt64LE(BigInt(sums.textBytes), endsUsed);
        }
      }
      await flush();
    }),
  );
  if (sums.captions === 0) {
    throw new LincirError('bad-file', {
      subject: name,
      expected: 'at least one usable caption',
      found: `none, with ${sums.leftOut} rows left out`,
      todo: 'check the column and the file, or leave it out',
    });
  }
  const ends = createReadStream(files.ends, { highWaterMark: bytesPerWrite });
  for await (const chunk of ends) hash.update(chunk);
  const { captions, leftOut, ...lengths } = sums;
  // In the order of the schema, so that a note reads the same whenever it is written.
  const copy = { name, origin, bytes, version, captions, leftOut, sha256: hash.digest('hex'), ...lengths };
  await writeJsonFile(files.note, copy);
  return copy;
}

/** Throws LincirError 'bad-file' if a source's files are not there or have other sizes than they had, and 'io'. */
export async function expectWhole(folder: string, number: number, copy: SourceCopy): Promise<void> {
  const { text, ends } = copyFiles(folder, number);
  const sizes = new Map([
    [text, copy.textBytes],
    [ends, copy.captions * bytesPerEnd],
  ]);
  for (const [path, size] of sizes) {
    const found = await readingFile(path, async (file) => `${file.size} bytes`).catch((error: unknown) => {
      if (error instanceof LincirError && error.code === 'not-found') return 'no file';
      throw error;
    });
    if (found !== `${size} bytes`) throw brokenStore(path, `${size} bytes`, found);
  }
}

/** An error about a file of a store. */
export function brokenStore(path: string, expected: string, found: string, cause?: unknown): LincirError {
  return new LincirError('bad-file', {
    subject: path,
    expected,
    found,
    todo: 'delete its folder, so that it is built again from the sources of the captions',
    cause,
  });
}

/** Replaces a file. It is on the disk when the promise resolves. */
async function writing(path: string, write: (file: FileHandle) => Promise<void>): Promise<void> {
  const file = await open(path, 'w');
  try {
    await write(file);
    await file.sync();
  } finally {
    await file.close();
  }
}
