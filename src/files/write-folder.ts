/** Writes folders of files, whole or not at all. */

import { mkdir, readdir, realpath, rename, rm, rmdir } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { errorCode } from '../core/index.ts';
import { asideIn } from './asides.ts';
import { asLincirError } from './refusals.ts';
import { makeFolder } from './write-file.ts';

/**
 * Writes a folder: `write` fills one beside it, which is then renamed. So a new or empty folder gets all of its files at once. If
 * there are others, they stay, and new ones take their places one by one, when all are complete. If `write` fails, nothing
 * changes.
 * @throws 'io', and whatever `write` throws
 */
export async function writeFolderAtomically(
  path: string,
  write: (folder: string) => Promise<void>,
): Promise<void> {
  const target = await realpath(path).catch(() => resolve(path));
  await makeFolder(dirname(target));
  let aside: string | undefined;
  try {
    aside = await asideIn(dirname(target));
    await mkdir(aside);
    await write(aside);
    if (await isFree(target)) await rename(aside, target);
    else await moveInto(target, aside);
  } catch (error) {
    throw asLincirError(error, path, 'write');
  } finally {
    // Report the first failure, not that its remains could not be removed.
    if (aside !== undefined) await rm(aside, { recursive: true, force: true }).catch(() => {});
  }
}

/** Whether nothing is at a path any more, where at most an empty folder was. */
async function isFree(path: string): Promise<boolean> {
  try {
    await rmdir(path);
    return true;
  } catch (error) {
    if (['ENOTEMPTY', 'EEXIST'].includes(errorCode(error))) return false;
    if (errorCode(error) === 'ENOENT') return true;
    throw error;
  }
}

async function moveInto(target: string, folder: string): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  for (const { parentPath, name } of entries.filter((entry) => entry.isFile())) {
    const place = join(target, relative(folder, parentPath));
    await makeFolder(place);
    await rename(join(parentPath, name), join(place, name));
  }
}
