/** Reads a found image's bytes, as they were at one moment. */

import { hash } from 'node:crypto';
import { open, stat } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { LincirError } from '../core/index.ts';
import { asLincirError, pathOnDisk } from '../files/index.ts';
import { type FoundImage, imageFile } from './files.ts';
import { splitPath } from './names.ts';
import { isS3 } from './s3/connection.ts';
import { knownS3Bytes, memberAlone, s3Bytes } from './s3/images.ts';
import { memberBytes } from './shards.ts';

/** Limit of an image's file: 200 megapixels of float32 fit. */
export const largestPicture = 2 ** 31;
/** Milliseconds before a file that changed during reading is read again. */
const changePause = 300;

/** The bytes, with the facts that held before and after reading. */
interface ImageBytes extends Pick<FoundImage, 'size' | 'modified' | 'statusChanged'> {
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** @throws LincirError 'not-found', 'io', or 'bad-file' for an image that is empty, huge or changes while it is read */
export async function readImage(picture: FoundImage): Promise<ImageBytes> {
  const { path, file, offset } = picture;
  try {
    const first = await readUnchanged(picture);
    if (first) return first;
    await pause(changePause);
    const { size, mtimeMs: modified, ctimeMs: statusChanged } = await stat(file);
    // In a changed shard, the members' positions are unknown.
    const second =
      offset === undefined ? await readUnchanged({ ...picture, size, modified, statusChanged }) : undefined;
    if (second) return second;
  } catch (error) {
    throw asLincirError(error, path, 'read');
  }
  throw new LincirError('bad-file', {
    subject: path,
    expected: 'a file that does not change while it is read',
    found: 'one that changes',
    todo: 'run the command again when nothing writes it',
  });
}

/** Undefined if the file differs from the one that was found, or changes during reading. */
async function readUnchanged(picture: FoundImage): Promise<ImageBytes | undefined> {
  const { path, file: name, offset, size, modified, statusChanged } = picture;
  const file = await open(name);
  try {
    const isSame = async () => {
      const facts = await file.stat();
      return facts.mtimeMs === modified && (offset !== undefined || facts.size === size);
    };
    if (!(await isSame())) return undefined;
    if (size === 0 || size > largestPicture) {
      throw unfitSize(path, size);
    }
    const bytes = new Uint8Array(size);
    for (let done = 0; done < size; ) {
      const { bytesRead } = await file.read(bytes, done, size - done, (offset ?? 0) + done);
      if (bytesRead === 0) return undefined;
      done += bytesRead;
    }
    // If it is written meanwhile with its times set back, its ctime is later than this one, and it is read next time.
    return (await isSame()) ? { bytes, size, modified, statusChanged } : undefined;
  } finally {
    await file.close();
  }
}

export function unfitSize(subject: string, size: number): LincirError {
  return new LincirError('bad-file', {
    subject,
    expected: `an image of 1 to ${largestPicture} bytes`,
    found: size === 0 ? 'an empty file' : `${size} bytes`,
  });
}

/** The bytes of an image that an index knows by this path. Throws LincirError 'not-found', 'io' or 'bad-file'. */
export async function indexedBytes(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const [name, member] = splitPath(path);
  if (isS3(name)) {
    if (member !== undefined) throw memberAlone(name, member);
    return await s3Bytes(name);
  }
  const file = await pathOnDisk(name);
  if (member !== undefined) return await memberBytes(file, member);
  return (await readImage(await imageFile(file))).bytes;
}

/** What an index knows of an image's contents. */
interface KnownContents {
  /** Bytes. */
  readonly size: number;
  /** SHA-256, in hex. */
  readonly hash: string;
  /** Where a member's bytes begin in its shard. */
  readonly memberOffset?: number;
}

/** Undefined if the file, or the shard's member, has other contents now. Throws LincirError 'not-found', 'io' or 'bad-file'. */
export async function unchangedBytes(
  file: string,
  member: string | undefined,
  known: KnownContents,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  let bytes: Uint8Array<ArrayBuffer>;
  if (isS3(file)) {
    const given = await knownS3Bytes(file, member, known);
    if (given === undefined) return undefined;
    bytes = given;
  } else if (member === undefined) {
    const found = await imageFile(file);
    if (found.size !== known.size) return undefined;
    ({ bytes } = await readImage(found));
  } else bytes = await memberBytes(file, member, known.size);
  return hash('sha256', bytes) === known.hash ? bytes : undefined;
}
