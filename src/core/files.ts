/** Files: exact reads at a position, and the operating system's refusals as LincirErrors. */

import { type FileHandle, open, realpath, stat } from 'node:fs/promises';

import { errorCode, LincirError } from './errors.ts';
import { pathOnDisk } from './names.ts';

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
  /** When anything of it was last changed by the system's account (ctime). */
  readonly statusChanged: number;
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
    const realPath = await realpath(await pathOnDisk(path));
    // Asked before opening: to open a named pipe would wait for its writer.
    if (!(await stat(realPath)).isFile()) {
      throw new LincirError('bad-file', { subject: path, expected: 'a file', found: 'a folder or a device' });
    }
    const handle = await open(realPath);
    const { size, mtimeMs: modified, ctimeMs: statusChanged } = await handle.stat();
    const read = (offset: number, length: number) => readExactly(handle, { path, size }, offset, length);
    return { path, realPath, size, modified, statusChanged, read, close: () => handle.close() };
  } catch (error) {
    throw asLincirError(error, path, 'read');
  }
}

/** An error of the operating system as a LincirError about `path`; any other error as it is. */
export function asLincirError(error: unknown, path: string, intent: 'read' | 'write'): unknown {
  if (!(error instanceof Error && 'syscall' in error && 'code' in error)) {
    return error;
  }
  const code = String(error.code);
  const { found, todo = 'try again or choose another place' } = refusals[code] ?? { found: error.message };
  const missing = code === 'ENOENT' || code === 'ENOTDIR';
  return new LincirError(missing && intent === 'read' ? 'not-found' : 'io', {
    subject: path,
    expected: intent === 'read' ? 'something that can be read' : 'a place that can be written',
    found,
    todo: code === 'ENOENT' && intent === 'read' ? 'check the path' : todo,
    cause: error,
  });
}

/** A refusal, and what helps if it is not to try again or elsewhere. */
interface Refusal {
  readonly found: string;
  readonly todo?: string;
}

const elsewhere = 'choose another place';
const freeSpace = 'free some space or choose another place';
const fewerFiles = { todo: 'allow more open files (ulimit -n), or close other programs' };
const lostDisk = { todo: 'see that the disk or network drive is there, then run the command again' };

const refusals: Readonly<Record<string, Refusal>> = {
  ENOENT: { found: 'no such file or folder', todo: 'check the path, and create the folder if it is missing' },
  ENOTDIR: { found: 'a file where a folder should be', todo: 'check the path' },
  EISDIR: { found: 'a folder', todo: 'name a file' },
  EEXIST: { found: 'a file where a folder should be', todo: elsewhere },
  EACCES: {
    found: 'that the system denies access',
    todo: 'change its permissions or choose another place',
  },
  EPERM: {
    found: 'that the system does not permit it',
    todo: 'close programs that use the file, or choose another place',
  },
  EROFS: { found: 'a read-only file system', todo: elsewhere },
  ENOSPC: { found: 'a full disk', todo: freeSpace },
  EDQUOT: { found: 'a used-up quota of disk space', todo: freeSpace },
  EFBIG: {
    found: 'a file larger than the system allows',
    todo: 'raise the limit (ulimit -f), or choose another place',
  },
  EMFILE: { found: 'too many open files in this process', ...fewerFiles },
  ENFILE: { found: 'too many open files on this machine', ...fewerFiles },
  ENAMETOOLONG: { found: 'a longer name than the file system takes', todo: 'choose a shorter one' },
  ELOOP: { found: 'links that lead in a circle', todo: 'check the path' },
  EIO: { found: 'a failing disk or connection', ...lostDisk },
  ESTALE: { found: 'a folder of a network drive that is gone', ...lostDisk },
  ENOTCONN: { found: 'a network drive without its connection', ...lostDisk },
  EHOSTDOWN: { found: 'a network drive whose server is down', ...lostDisk },
  ETIMEDOUT: { found: 'no answer from a network drive', ...lostDisk },
  ENODEV: { found: 'a device that is not there', ...lostDisk },
  EPIPE: { found: 'a pipe whose reader has ended', todo: 'keep its reader running, or name a file' },
  ENXIO: { found: 'a pipe that nobody reads, or no device', todo: 'start its reader first, or name a file' },
};

/** Refusals that say nothing of the file: the same one can be read when the machine or its network is well again. */
const passing = 'EMFILE ENFILE ENOMEM ESTALE ENOTCONN EHOSTDOWN ETIMEDOUT ENODEV'.split(' ');

/** Whether an error is none of the file that was read, but of the machine. */
export function isPassing(error: unknown): boolean {
  return error instanceof Error && (passing.includes(errorCode(error)) || isPassing(error.cause));
}

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
