/** Names of files: canonically equivalent ones are one name to people, whichever bytes a file system or a table has. */
// Unicode Standard Annex 15: é is one character (NFC, as people type it) or two (NFD, as macOS writes it).

import { lstat, readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** macOS finds a file by every form of its name, and so does not say which one is its own. */
const tellsNamesApart = process.platform !== 'darwin';

/** What names are compared by: equal for canonically equivalent ones. Files are opened by their names as they are. */
export function nameKey(name: string): string {
  return name.normalize('NFC');
}

/** ASCII has one form, but for what a Kelvin sign, a Greek question mark and a varia are equivalent to. */
const oneForm = /^[\0-:<-JL-_a-\x7f]*$/;

/** Whether a name may be written in several forms: only those that may need a look. */
export function hasForms(name: string): boolean {
  return !oneForm.test(name);
}

/**
 * Paths as the disk has them: a file's own path, or one with canonically equivalent names where there is none of exactly
 * this path. What is not there at all comes back as it was given.
 * @returns a function that remembers the last folder it has looked into
 */
export function pathsOnDisk(): (path: string) => Promise<string> {
  let folder: string | undefined;
  /** Of that folder: each name by itself, and one of those that are equivalent. */
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
