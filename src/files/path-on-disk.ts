/** Finds paths as the disk has them, whichever equivalent form of a name was typed. */

import { lstat, readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { hasForms, nameKey } from '../core/index.ts';

/** macOS finds a file by every form of its name, so it cannot tell us the file's own form. */
const tellsNamesApart = process.platform !== 'darwin';

/**
 * Finds paths as the disk has them: exactly this path, or else one whose names are canonically equivalent. A path that
 * does not exist comes back as it was given.
 * @returns a function that remembers the last folder it read
 */
export function pathsOnDisk(): (path: string) => Promise<string> {
  let folder: string | undefined;
  /** Of that folder: every name under itself, and one of each set of equivalent names. */
  let names: ReadonlyMap<string, string> = new Map();
  const onDisk = async (path: string): Promise<string> => {
    if (!hasForms(path) || (tellsNamesApart && (await isThere(path)))) return path;
    const parent = await onDisk(dirname(path));
    if (folder !== parent) {
      const present = (await readdir(parent).catch((): string[] => [])).sort();
      names = new Map([
        ...present.map((name) => [nameKey(name), name] as const),
        ...present.map((name) => [name, name] as const),
      ]);
      folder = parent;
    }
    const name = basename(path);
    return join(parent, names.get(name) ?? names.get(nameKey(name)) ?? name);
  };
  return onDisk;
}

/** One path as the disk has it: see `pathsOnDisk`. */
export function pathOnDisk(path: string): Promise<string> {
  return pathsOnDisk()(path);
}

async function isThere(path: string): Promise<boolean> {
  return await lstat(path).then(
    () => true,
    () => false,
  );
}
