/** Writes files, each whole or not at all, and makes their folders. */

import { constants, type Stats } from 'node:fs';
import { type FileHandle, mkdir, open, readlink, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { errorCode } from '../core/index.ts';
import { asideIn } from './asides.ts';
import { asLincirError } from './refusals.ts';

/** As many links as Linux follows. */
const linkLimit = 40;

/**
 * Writes a file whole or not at all: to a temporary file in the same folder, which is fsynced and renamed over `path`;
 * then the folder is fsynced. If `write` or the disk fails, the old file is still at `path`. The target of a link is
 * replaced, not the link. A device or a pipe is written into. A replaced file keeps its permissions. The writer owns the
 * new file, and other names of the old one (hard links) keep the old contents.
 * @throws 'io', and whatever `write` throws
 */
export async function writeFileAtomically(
  path: string,
  write: (file: FileHandle) => Promise<void>,
): Promise<void> {
  let aside: string | undefined;
  try {
    const present = await stat(path).catch(unlessMissing);
    if (present && isStream(path, present)) return await writeInto(path, present.isFIFO(), write);
    const target = await endOfLinks(path);
    aside = await asideIn(dirname(target));
    const file = await open(aside, 'wx');
    try {
      if (present?.isFile()) await file.chmod(present.mode & 0o7777);
      await write(file);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(aside, target);
    await syncFolder(dirname(target));
  } catch (error) {
    // Report the first failure, not that its remains could not be removed.
    if (aside !== undefined) await rm(aside, { force: true }).catch(() => {});
    throw asLincirError(error, path, 'write');
  }
}

/** Writes a value as JSON for people to read, whole or not at all. Throws 'io'. */
export async function writeJsonFile(path: string, value: unknown): Promise<void> {
  await writeFileAtomically(path, (file) => file.writeFile(`${JSON.stringify(value, undefined, 2)}\n`));
}

/** Makes a folder and the folders above it, if they are missing. Throws 'io'. */
export async function makeFolder(path: string): Promise<void> {
  try {
    await makeWithParents(path);
  } catch (error) {
    // If a folder above cannot be made, that one is at fault.
    throw asLincirError(error, (error as NodeJS.ErrnoException).path ?? path, 'write');
  }
}

/** Node's own recursive mkdir says that something is missing where the file system is read-only. */
async function makeWithParents(path: string): Promise<void> {
  try {
    await makeOne(path);
  } catch (error) {
    if (!['ENOENT', 'ENOTDIR'].includes(errorCode(error)) || dirname(path) === path) throw error;
    await makeWithParents(dirname(path));
    await makeOne(path);
  }
}

async function makeOne(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    if (!(await stat(path).catch(() => undefined))?.isDirectory()) throw error;
  }
}

/** Whether to write into a path instead of replacing it: a device, a pipe, or what the process was given open. */
function isStream(path: string, found: Stats): boolean {
  return (
    !(found.isFile() || found.isDirectory()) || /^\/(dev|proc\/self)\/(fd\/\d+|stdout|stderr)$/.test(path)
  );
}

async function writeInto(
  path: string,
  isPipe: boolean,
  write: (file: FileHandle) => Promise<void>,
): Promise<void> {
  // This fails for a pipe without a reader. A plain open would wait for one for ever.
  const refusing = isPipe ? await open(path, constants.O_WRONLY | constants.O_NONBLOCK) : undefined;
  try {
    const file = await open(path, constants.O_WRONLY | constants.O_APPEND);
    try {
      await write(file);
    } finally {
      await file.close();
    }
  } finally {
    await refusing?.close();
  }
}

/** Where a file for `path` must go: the target of its links, whether it exists or not. */
async function endOfLinks(path: string): Promise<string> {
  let place = path;
  for (let links = 0; links < linkLimit; links += 1) {
    const link = await readlink(place).catch(() => undefined);
    if (link === undefined) break;
    place = resolve(await realpath(dirname(place)), link);
  }
  return place;
}

/** Makes the name survive a power failure. Not every system can do this; the file is there in any case. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path).catch(() => undefined);
  await folder?.sync().catch(() => {});
  await folder?.close();
}

function unlessMissing(error: unknown): undefined {
  if (errorCode(error) !== 'ENOENT') throw error;
}
