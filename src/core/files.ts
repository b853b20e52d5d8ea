/** Files: exact reads at a position, atomic writes, and the operating system's refusals as LincirErrors. */

import { randomUUID } from 'node:crypto';
import { type FileHandle, open, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { LincirError } from './errors.ts';

/** Bytes that can be read from any position: an open file, or memory in tests. */
export interface RandomAccess {
  /** The path as the user knows it, for messages. */
  readonly path: string;
  /** Absolute, links resolved: what a Hugging Face cache's snapshot links to. */
  readonly realPath: string;
  /** In bytes. */
  readonly size: number;
  /** Exactly `length` bytes from `offset` on, in a buffer of their own. The range must lie within `size`. */
  read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
}

/** A file that stays open until it is closed. */
export interface OpenFile extends RandomAccess {
  /** When it was last written, in milliseconds since 1970. */
  readonly modified: number;
  close(): Promise<void>;
}

/** Opens a file, hands it to `use`, and closes it whatever happens. Throws 'not-found', 'io' or 'bad-file'. */
export async function readingFile<T>(path: string, use: (file: RandomAccess) => Promise<T>): Promise<T> {
  const file = await openFile(path);
  try {
    return await use(file);
  } catch (error) {
    throw asLincirError(error, path, 'read');
  } finally {
    await file.close();
  }
}

/** Opens a file, which its user closes. Throws 'not-found', 'io' or 'bad-file'. */
export async function openFile(path: string): Promise<OpenFile> {
  try {
    const realPath = await realpath(path);
    // Asked before opening: to open a named pipe would wait for its writer.
    if (!(await stat(realPath)).isFile()) {
      throw new LincirError('bad-file', { subject: path, expected: 'a file', found: 'a folder or a device' });
    }
    const handle = await open(realPath);
    const { size, mtimeMs: modified } = await handle.stat();
    const read = (offset: number, length: number) => readExactly(handle, { path, size }, offset, length);
    return { path, realPath, size, modified, read, close: () => handle.close() };
  } catch (error) {
    throw asLincirError(error, path, 'read');
  }
}

/**
 * Writes a file that exists in full or not at all: aside in the same folder, fsynced, then renamed over `path`.
 * When `write` or the disk fails, what stood at `path` still stands there. Throws 'io', and whatever `write` throws.
 */
export async function writeFileAtomically(
  path: string,
  write: (file: FileHandle) => Promise<void>,
): Promise<void> {
  const aside = join(dirname(path), `.lincir-${randomUUID()}.tmp`);
  try {
    const file = await open(aside, 'wx');
    try {
      await write(file);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(aside, path);
  } catch (error) {
    // The first failure is the one to tell of, not that its remains could not be removed.
    await rm(aside, { force: true }).catch(() => {});
    throw asLincirError(error, path, 'write');
  }
}

/** An error of the operating system as a LincirError about `path`; any other error as it is. */
export function asLincirError(error: unknown, path: string, intent: 'read' | 'write'): unknown {
  if (!(error instanceof Error && 'syscall' in error && 'code' in error)) {
    return error;
  }
  const code = String(error.code);
  const { found, todo } = refusals[code] ?? {
    found: error.message,
    todo: 'try again or choose another place',
  };
  const missing = code === 'ENOENT' || code === 'ENOTDIR';
  return new LincirError(missing && intent === 'read' ? 'not-found' : 'io', {
    subject: path,
    expected: intent === 'read' ? 'something that can be read' : 'a place that can be written',
    found,
    todo,
    cause: error,
  });
}

const refusals: Readonly<Record<string, { readonly found: string; readonly todo: string }>> = {
  ENOENT: { found: 'no such file or folder', todo: 'check the path, and create the folder if it is missing' },
  ENOTDIR: { found: 'a file where a folder should be', todo: 'check the path' },
  EISDIR: { found: 'a folder', todo: 'name a file' },
  EACCES: { found: 'that the system denies access', todo: 'change its permissions or choose another place' },
  EPERM: {
    found: 'that the system does not permit it',
    todo: 'close programs that use the file, or choose another place',
  },
  EROFS: { found: 'a read-only file system', todo: 'choose another place' },
  ENOSPC: { found: 'a full disk', todo: 'free some space or choose another place' },
};

/** The system may hand over less than was asked for, and Node takes at most 2^31 - 1 bytes at once. */
const bytesPerRead = 2 ** 30;

async function readExactly(
  handle: FileHandle,
  file: { readonly path: string; readonly size: number },
  offset: number,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const tooShort = (size: number) =>
    new LincirError('bad-file', {
      subject: file.path,
      expected: `bytes ${offset} to ${offset + length}`,
      found: `a file of ${size} bytes`,
      todo: 'it may have changed or been cut short: get it again',
    });
  if (offset + length > file.size) {
    throw tooShort(file.size);
  }
  const bytes = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const wanted = Math.min(length - done, bytesPerRead);
    const { bytesRead } = await handle.read(bytes, done, wanted, offset + done);
    if (bytesRead === 0) {
      throw tooShort(offset + done);
    }
    done += bytesRead;
  }
  return bytes;
}
