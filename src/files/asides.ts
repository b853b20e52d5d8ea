/** Temporary files: written beside their place, then renamed. Their names tell a later process what a killed one left. */

import { randomUUID } from 'node:crypto';
import { lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isRunning, shortPlace, thisProcess } from './owner.ts';

/** Folders that this process has looked through. */
const cleaned = new Map<string, Promise<void>>();
/** `.lincir-PROCESS-BIRTH-PLACE-RANDOM.tmp`; versions before this one had no owner in it. */
const asideName =
  /^\.lincir-(?:(\d+)-(\d*)-([\da-f]{16})-[\da-f]{8}|[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12})\.tmp$/;
/** Milliseconds without a write after which an owner that cannot be asked counts as gone: a day. */
const silence = 86_400_000;

/**
 * A new path in `folder` for a file or folder that is renamed to its place when it is complete. The first call for a
 * folder also removes what ended processes left there. So the next run of any command cleans up after a killed one.
 */
export async function asideIn(folder: string): Promise<string> {
  let cleaning = cleaned.get(folder);
  if (cleaning === undefined) {
    cleaning = removeLeftovers(folder);
    cleaned.set(folder, cleaning);
  }
  await cleaning;
  const { pid, birth, place } = await thisProcess();
  return join(folder, `.lincir-${pid}-${birth}-${shortPlace(place)}-${randomUUID().slice(0, 8)}.tmp`);
}

/**
 * Removes the temporary files that ended processes left in a folder. Those of living processes stay, and so does
 * everything with another name. What cannot be removed is left to the next call: nothing depends on it.
 */
export async function removeLeftovers(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    const match = asideName.exec(name);
    if (match === null) continue;
    const path = join(folder, name);
    if (await isLeft(path, match)) await rm(path, { recursive: true, force: true }).catch(() => {});
  }
}

async function isLeft(path: string, [, pid, birth = '', place = '']: RegExpExecArray): Promise<boolean> {
  if (pid === undefined) return true;
  const running = await isRunning({ pid: Number(pid), birth, place });
  if (running !== undefined) return !running;
  const found = await lstat(path).catch(() => undefined);
  return found !== undefined && Date.now() - found.mtimeMs > silence;
}
