/** The folders that the page may read now, by their names. */

import { LincirError } from '../../../../src/core/index.ts';
import type { Rows } from '../index/rows.ts';
import { handleFolder, ListedFolder, type PhotoFolder } from './scan.ts';
import type { FolderFacts, ListedFiles } from './state.ts';

export type FoldersOpen = ReturnType<typeof openFolders>;

export function openFolders() {
  const folders = new Map<string, PhotoFolder>();
  return {
    open(handle: FileSystemDirectoryHandle): void {
      folders.set(handle.name, handleFolder(handle));
    },
    list({ name, files, isFirst }: ListedFiles): void {
      const old = folders.get(name);
      const folder = !isFirst && old instanceof ListedFolder ? old : new ListedFolder(name);
      folder.add(files);
      folders.set(name, folder);
    },
    close: (name: string) => folders.delete(name),
    closeAll: () => folders.clear(),
    all: () => [...folders.values()],
    async file(path: string): Promise<File> {
      const name = path.slice(0, path.indexOf('/'));
      const folder = folders.get(name);
      if (folder) return await folder.file(path);
      throw new LincirError('not-found', {
        subject: path,
        expected: `the folder ${name}, which this page may not read now`,
        found: 'only the small picture that the page keeps',
        todo: 'choose the folder again',
      });
    },
    /** Open ones, and those that pictures of the index came from. */
    facts(rows: Rows | undefined): FolderFacts[] {
      const counts = new Map(Array.from(folders.keys(), (name) => [name, 0]));
      for (const { facts } of rows?.all() ?? []) {
        const name = facts.path.slice(0, facts.path.indexOf('/'));
        counts.set(name, (counts.get(name) ?? 0) + 1);
      }
      return Array.from(counts, ([name, pictures]) => ({ name, pictures, isOpen: folders.has(name) }));
    },
  };
}
