/** Files that a person chose, as sources of bytes: a model's folder, or a phi. */

import { LincirError, type ModelFiles, type RandomAccess } from '../../../../src/core/index.ts';
import type { ListedFile } from './scan.ts';

/** The files of one folder, by their names. */
export function filesOf(name: string, files: readonly ListedFile[]): ModelFiles {
  const byName = new Map(files.map(({ path, file }) => [path.slice(path.indexOf('/') + 1), file]));
  return {
    name,
    async read(wanted) {
      const file = byName.get(wanted);
      return file && sourceOf(file, `${name}/${wanted}`);
    },
    list: async () => [...byName.keys()],
  };
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
