/** Gives images metadata: the columns of a table, whose keys name the images. */

import { chunks, LincirError, nameKey, option, quoted } from '../core/index.ts';
import type { MetadataFile, MetadataOptions, MetadataType } from '../pictures/index.ts';
import type { Metadata, VectorStore } from '../store/index.ts';
import { imagesOfKeys } from './table-keys.ts';

export interface Annotation {
  /** Rows of the table. */
  readonly rows: number;
  /** Images that rows name, and how many of them have new metadata. */
  readonly images: number;
  readonly changed: number;
  /** Rows that name no image, and the first such key. */
  readonly unmatched: number;
  readonly firstUnmatched: string | undefined;
}

const rowsPerCommit = 2 ** 16;

/**
 * Sets the metadata of the images that a table's keys name. A key is a path as the index has it, or one relative to the
 * table's folder or to one of `sources`; of a shard's member, the name in the shard; all with or without the ending.
 * A column that the index has keeps its type: numbers and booleans become texts in it, or 0 and 1 become booleans.
 * @param sources folders and shards that were indexed
 * @throws LincirError 'bad-file' when no key names an image, or naming the line of a value that cannot have the type of
 *   the index's column, and what reading throws
 */
export async function annotate(
  store: VectorStore,
  file: MetadataFile,
  sources: readonly string[],
): Promise<Annotation> {
  const known = await store.columns();
  // An earlier version kept the table's own Unicode form of column names.
  const names = new Map(Array.from(known.keys(), (name) => [nameKey(name), name]));
  const nameOf = (name: string) => names.get(nameKey(name)) ?? nameKey(name);
  const wanted = new Map(
    [...file.columns.keys(), ...file.empty].flatMap((name): [string, MetadataType][] => {
      const type = known.get(nameOf(name));
      // In a column of texts, `none` and the like are values.
      const isOther = type === undefined || (type !== 'string' && !file.columns.has(name));
      return isOther || type === 'time' ? [] : [[name, type]];
    }),
  );
  const columns = new Map(
    Array.from(file.columns, ([name, type]) => [nameOf(name), wanted.get(name) ?? type]),
  );
  // Values of the wrong type must be found before anything is written. As a text, every value fits.
  const isDoubtful = [...wanted].some(([name, type]) => type !== 'string' && type !== file.columns.get(name));
  if (isDoubtful) for await (const _ of file.rows(wanted));
  // An empty column removes values of an existing column. It makes no new one, because its type would be a guess.
  for (const name of file.empty.map(nameOf)) {
    const type = known.get(name);
    if (type !== undefined && type !== 'time') columns.set(name, type);
  }
  const counts = { rows: 0, images: 0, changed: 0, unmatched: 0 };
  let firstUnmatched: string | undefined;
  const named = imagesOfKeys(
    () => eachRow(file, wanted),
    () => store.images(),
    file.path,
    sources,
  );
  for await (const some of chunks(named, rowsPerCommit)) {
    const ids = new Set(some.flatMap(({ images }) => images.map(({ id }) => id)));
    const present = new Map((await store.find('id', [...ids])).map(({ id, metadata }) => [id, metadata]));
    const values = new Map<string, Metadata>();
    for (const { row, images } of some) {
      const own = comparedMetadata(row.values, nameOf);
      counts.rows += 1;
      counts.images += images.length;
      if (images.length === 0) {
        counts.unmatched += 1;
        firstUnmatched ??= row.key;
      }
      for (const { id } of images) {
        const metadata = present.get(id);
        const isSame = Object.entries(own).every(([name, value]) => (metadata?.[name] ?? null) === value);
        if (!isSame) values.set(id, own);
      }
    }
    counts.changed += values.size;
    const changes = [...values].map(([id, own]) => ({ id, values: own }));
    if (changes.length > 0) await store.annotate(columns, changes);
  }
  if (counts.images === 0) {
    throw new LincirError('bad-file', {
      subject: file.path,
      expected: `images' paths as ${quoted(file.key)}`,
      found: `none that the index has, among ${counts.rows} such as ${quoted(firstUnmatched ?? '')}`,
      todo: `write paths relative to this file's folder or to a folder that is indexed, or name another column with ${option<MetadataOptions>('key')}`,
    });
  }
  if (counts.changed > 0) await store.maintain();
  return { ...counts, firstUnmatched };
}

async function* eachRow(file: MetadataFile, wanted: ReadonlyMap<string, MetadataType>) {
  for await (const rows of file.rows(wanted)) yield* rows;
}

/** Normalises texts as filters compare them, and columns by their names. */
function comparedMetadata(values: Metadata, nameOf: (name: string) => string): Metadata {
  const entries = Object.entries(values).map(([name, value]) => {
    return [nameOf(name), typeof value === 'string' ? nameKey(value) : value] as const;
  });
  return Object.fromEntries(entries);
}
