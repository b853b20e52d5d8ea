/** Decides by its first bytes whether a file is an image, if its name does not tell. */

import { open } from 'node:fs/promises';
import { formatOf } from '../decoding/index.ts';
import { endingOf } from './endings.ts';

/** Numbers of files that look like images but are not taken, by their endings. */
export type LeftOut = Readonly<Record<string, number>>;

/** Bytes that are enough to tell every format. */
const beginningSize = 4096;

/** Whether these first bytes belong to an image that can be decoded. */
export function isImageName(bytes: Uint8Array): boolean {
  const format = formatOf(bytes.subarray(0, beginningSize));
  // A saved web page may contain drawings.
  return format === 'svg' ? !/<html/i.test(Buffer.from(bytes).toString('latin1')) : format !== undefined;
}

/** The same for a file. Throws the system's errors. */
export async function isImageFile(path: string | Buffer): Promise<boolean> {
  await using file = await open(path);
  const { buffer, bytesRead } = await file.read(new Uint8Array(beginningSize));
  return isImageName(buffer.subarray(0, bytesRead));
}

/** The same for a part of an archive. */
export async function isImagePart(
  archive: { read(offset: number, length: number): Promise<Uint8Array> },
  offset: number,
  size: number,
): Promise<boolean> {
  return isImageName(await archive.read(offset, Math.min(size, beginningSize)));
}

/** Counts what is left out, by ending. */
export function leftOutCounter(): { readonly counts: LeftOut; readonly count: (name: string) => void } {
  const counts: Record<string, number> = {};
  const count = (name: string) => {
    const ending = endingOf(name);
    counts[ending] = (counts[ending] ?? 0) + 1;
  };
  return { counts, count };
}
