/** The folders of served indexes, as options name them. */

import { LincirError, quoted } from '../../core/index.ts';

/**
 * Folders by the names of their indexes. `NAME=FOLDER` belongs to the index of that name, others to the only index.
 * @throws LincirError 'bad-argument' for a folder of no index
 */
export function foldersOf(
  given: readonly string[],
  indexes: readonly { readonly name: string }[],
): ReadonlyMap<string, readonly string[]> {
  const folders = new Map<string, string[]>();
  for (const folder of given) {
    const own = indexes.find(({ name }) => folder.startsWith(`${name}=`));
    const index = own ?? (indexes.length === 1 ? indexes[0] : undefined);
    const path = own ? folder.slice(own.name.length + 1) : folder;
    if (index === undefined || path === '') {
      throw new LincirError('bad-argument', {
        subject: '--folder',
        expected: `NAME=FOLDER, with an index out of ${indexes.map(({ name }) => name).join(', ') || 'none'}`,
        found: quoted(folder),
      });
    }
    folders.set(index.name, [...(folders.get(index.name) ?? []), path]);
  }
  return folders;
}
