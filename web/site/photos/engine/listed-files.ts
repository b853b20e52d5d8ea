/** Files that a person chose, as sources of bytes: a model's folder, or a phi. */

import { LincirError, type ModelFiles, type RandomAccess } from '../../../../src/core/index.ts';
import type { ListedFile } from './scan.ts';

/** The files of one folder, by their names. */
export function filesOf(name: string, files: readonly ListedFile[]): ModelFiles {
  const byName = new Map(files.map(({ path, file }) => [path, file]));
  return {
    name,
    async read(wanted) {
      const file = byName.get(wanted);
      return file && sourceOf(file, `${name}/${wanted}`);
    },
    list: async () => [...byName.keys()],
  };
}

/** The files of a folder that the browser may read itself. */
export function filesIn(name: string, folder: FileSystemDirectoryHandle): ModelFiles {
  return {
    name,
    async read(wanted) {
      const names = wanted.split('/');
      let parent = folder;
      try {
        for (const above of names.slice(0, -1)) parent = await parent.getDirectoryHandle(above);
        return sourceOf(await (await parent.getFileHandle(names.at(-1)!)).getFile(), `${name}/${wanted}`);
      } catch (error) {
        if (error instanceof DOMException && ['NotFoundError', 'TypeMismatchError'].includes(error.name))
          return undefined;
        throw error;
      }
    },
    list: async () => await namesBelow(folder),
  };
}

async function namesBelow(folder: FileSystemDirectoryHandle, above = ''): Promise<string[]> {
  const names: string[] = [];
  for await (const [name, handle] of folder.entries()) {
    if (handle.kind === 'file') names.push(`${above}${name}`);
    else names.push(...(await namesBelow(handle as FileSystemDirectoryHandle, `${above}${name}/`)));
  }
  return names;
}

export function sourceOf(file: File, name: string): RandomAccess {
  return {
    name,
    size: file.size,
    async read(offset, length) {
      try {
        return new Uint8Array(await file.slice(offset, offset + length).arrayBuffer());
      } catch (cause) {
        throw new LincirError('io', {
          subject: name,
          expected: 'the file that you chose',
          found: 'one that has changed or gone',
          todo: 'choose it again',
          cause,
        });
      }
    },
  };
}
