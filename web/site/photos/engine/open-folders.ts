/** The folders that the page may read now, by their names in the index. */

import { LincirError } from '../../../../src/core/index.ts';
import type { Rows } from '../index/rows.ts';
import { HandleFolder, ListedFolder, type PhotoFolder } from './scan.ts';
import type { FolderFacts } from './state.ts';

export type FoldersOpen = ReturnType<typeof openFolders>;

/** Pictures that are compared to tell whether a folder is the one that has its name in the index. */
const samples = 40;

export function openFolders() {
  const folders = new Map<string, PhotoFolder>();
  return {
    /** Returns the name that it has in the index: its own, unless that is another folder's (every camera's card has a `DCIM`). */
    async open(folder: PhotoFolder, rows: Rows): Promise<string> {
      for (let number = 1; ; number++) {
        const named = number === 1 ? folder : folder.named(`${folder.name} (${number})`);
        const old = folders.get(named.name);
        if (!(await isSame(old, named, rows))) continue;
        folders.set(named.name, named);
        return named.name;
      }
    },
    /** One whose name is known from an earlier visit. */
    openAgain(folder: PhotoFolder): void {
      folders.set(folder.name, folder);
    },
    close: (name: string) => folders.delete(name),
    closeAll: () => folders.clear(),
    all: () => [...folders.values()],
    async file(path: string): Promise<File> {
      const name = path.slice(0, path.indexOf('/'));
      const folder = folders.get(name);
      if (folder === undefined) throw notThere(path, `the folder ${name}, which this page may not read now`);
      return await folder.file(path).catch((cause: unknown) => {
        throw notThere(path, 'the file where it was when it was indexed', cause);
      });
    },
    /** Open ones, and those that pictures of the index came from. */
    facts(rows: Rows | undefined): FolderFacts[] {
      const counts = new Map(Array.from(folders.keys(), (name) => [name, 0]));
      for (const [name, count] of rows?.byFolder() ?? []) counts.set(name, count);
      return Array.from(counts, ([name, pictures]) => ({ name, pictures, isOpen: folders.has(name) }));
    },
  };
}

async function isSame(old: PhotoFolder | undefined, folder: PhotoFolder, rows: Rows): Promise<boolean> {
  if (old instanceof HandleFolder && folder instanceof HandleFolder)
    return await old.handle.isSameEntry(folder.handle);
  const known = Array.from(rows.inFolder(folder.name), ({ facts }) => facts);
  if (known.length > 0) return await hasSome(folder, known);
  return old instanceof ListedFolder ? await hasSome(folder, [...old.facts()]) : true;
}

/** Whether a folder has one of some pictures, or there are none. */
async function hasSome(
  folder: PhotoFolder,
  pictures: readonly { readonly path: string; readonly size: number }[],
): Promise<boolean> {
  const step = Math.max(1, Math.floor(pictures.length / samples));
  for (let at = 0; at < pictures.length; at += step) {
    const { path, size } = pictures[at]!;
    const file = await folder.file(path).catch(() => undefined);
    if (file?.size === size) return true;
  }
  return pictures.length === 0;
}

function notThere(path: string, expected: string, cause?: unknown): LincirError {
  return new LincirError('not-found', {
    subject: path,
    expected,
    found: 'only the small picture that the page keeps',
    todo: 'choose its folder again',
    cause,
  });
}
