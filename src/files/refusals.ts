/** Turns the operating system's errors into LincirErrors. */

import { LincirError } from '../core/index.ts';

/** Turns an error of the operating system into a LincirError about `path`. Returns any other error as it is. */
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

/** A refusal, and what helps where trying again or elsewhere does not. */
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
  EACCES: { found: 'that the system denies access', todo: 'change its permissions or choose another place' },
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
  ENAMETOOLONG: { found: 'a name that is too long for the file system', todo: 'choose a shorter one' },
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
