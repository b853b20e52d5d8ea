/** Metadata of pictures: columns of a table that go to the pictures which its keys name. */

import { dirname, join } from 'node:path';
import { LincirError, quoted } from '../core/index.ts';
import { indexPath, type MetadataFile } from '../pictures/index.ts';
import type { KnownPicture, Metadata, VectorStore } from '../store/index.ts';

export interface Annotation {
  /** Rows of the table. */
  readonly rows: number;
  /** Pictures that rows name, and those of them whose metadata are new. */
  readonly pictures: number;
  readonly changed: number;
  /** Rows that name no picture, and the first of their keys. */
  readonly unmatched: number;
  readonly firstUnmatched: string | undefined;
}

/**
 * Sets the metadata of the pictures that a table's keys name. A key is a path as the index has it, or one relative to the
 * table's folder or to one of `folders`; of a shard's member, the name in the shard.
 * @param folders folders and shards that were indexed
 * @throws LincirError 'bad-file' when no key names a picture, 'bad-argument' for a column that has another type in the
 *   index, and what reading throws
 */
export async function annotate(
  store: VectorStore,
  file: MetadataFile,
  folders: readonly string[],
): Promise<Annotation> {
  const beginnings = folders.map((folder) => (/\.tar$/i.test(folder) ? `${indexPath(folder)}!/` : folder));
  const namesOf = (key: string): string[] => [
    ...new Set([
      key,
      indexPath(join(dirname(file.path), key)),
      ...beginnings.map((top) => (top.endsWith('!/') ? `${top}${key}` : indexPath(join(top, key)))),
    ]),
  ];
  const known = await store.columns();
  const columns = new Map(file.columns);
  // What is empty here takes out the values of a column that there is, and makes none, whose type could only be guessed.
  for (const name of file.empty) {
    const type = known.get(name);
    if (type !== undefined && type !== 'time') columns.set(name, type);
  }
  const counts = { rows: 0, pictures: 0, changed: 0, unmatched: 0 };
  let firstUnmatched: string | undefined;
  for await (const rows of file.rows()) {
    const found = new Map<string, KnownPicture>();
    const names = rows.flatMap(({ key }) => namesOf(key));
    for (const picture of await store.find('path', names)) found.set(picture.path, picture);
    const values = new Map<string, Metadata>();
    for (const { key, values: own } of rows) {
      const pictures = namesOf(key).flatMap((name) => found.get(name) ?? []);
      counts.rows += 1;
      if (pictures.length === 0) {
        counts.unmatched += 1;
        firstUnmatched ??= key;
      }
      counts.pictures += pictures.length;
      for (const { id, metadata } of pictures) {
        const isSame = Object.entries(own).every(([name, value]) => (metadata[name] ?? null) === value);
        if (!isSame) values.set(id, own);
      }
    }
    counts.changed += values.size;
    const changes = [...values].map(([id, own]) => ({ id, values: own }));
    if (changes.length > 0) await store.annotate(columns, changes);
  }
  if (counts.pictures === 0) {
    throw new LincirError('bad-file', {
      subject: file.path,
      expected: `pictures' paths as ${quoted(file.key)}`,
      found: `none that the index has, among ${counts.rows} such as ${quoted(firstUnmatched ?? '')}`,
      todo: "write paths relative to this file's folder or to a folder that is indexed, or name another column with --metadata-key",
    });
  }
  if (counts.changed > 0) await store.maintain();
  return { ...counts, firstUnmatched };
}
