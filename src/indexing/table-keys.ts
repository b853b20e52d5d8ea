/** Which images the keys of a table mean: paths, or names below the table's folder, an indexed folder or in a shard. */

import { dirname, isAbsolute, join, posix } from 'node:path';
import { nameKey } from '../core/index.ts';
import { indexPath, memberMark } from '../pictures/index.ts';

/** An image that a key may name. */
export interface NamedImage {
  readonly id: string;
  readonly path: string;
}

/** What a key's name is below. */
type Place = 'own' | 'shard' | 'folder';

interface Match extends NamedImage {
  readonly place: Place;
  /** By its name without the ending. */
  readonly isStem: boolean;
}

/**
 * The images of each key, after one look at all images. A key may lack the ending, as those of img2dataset do. What lies
 * in the shard or folder of the table's own name comes before other shards' members, a whole name before one without
 * ending, and of two images whose paths are canonically equivalent, the one that is written as the key.
 * @param table the path of the table
 * @param sources folders and shards that were indexed
 */
export async function imagesOfKeys(
  keys: readonly string[],
  pictures: AsyncIterable<readonly NamedImage[]>,
  table: string,
  sources: readonly string[],
): Promise<(readonly NamedImage[])[]> {
  const stem = indexPath(table).replace(/\.[^./]+$/, '');
  const folders = [dirname(table), ...sources.filter((source) => !isShard(source))];
  const places = new Map<string, Place>([
    ...sources
      .filter(isShard)
      .map((shard) => [nameKey(`${indexPath(shard)}${memberMark}`), 'shard'] as const),
    ...folders.map((folder) => [nameKey(`${indexPath(folder)}/`.replace('//', '/')), 'folder'] as const),
    ...[`${stem}.tar${memberMark}`, `${stem}/`].map((top) => [nameKey(top), 'own'] as const),
  ]);
  const rows = Map.groupBy(
    keys.flatMap((key, row) => formsOf(key, folders).map((form) => ({ form, row }))),
    ({ form }) => form,
  );
  const matches = keys.map((): Match[] => []);
  // Images of one folder mostly come together.
  let folder = '';
  let beginnings = beginningsIn(folder, places);
  for await (const batch of pictures) {
    for (const { id, path } of batch) {
      const key = nameKey(path);
      const own = key.slice(0, key.lastIndexOf('/') + 1);
      if (own !== folder) [folder, beginnings] = [own, beginningsIn(own, places)];
      for (const { at, place } of beginnings) {
        for (const { form, isStem } of stemsOf(key.slice(at))) {
          for (const { row } of rows.get(form) ?? []) matches[row]!.push({ id, path, place, isStem });
        }
      }
    }
  }
  return matches.map((found, row) => preferred(found, keys[row]!));
}

/** What a key may be among images' names. */
function formsOf(key: string, folders: readonly string[]): string[] {
  const plain = posix.normalize(process.platform === 'win32' ? key.replaceAll('\\', '/') : key);
  const paths = isAbsolute(key)
    ? [indexPath(key)]
    : plain.startsWith('..')
      ? folders.map((folder) => indexPath(join(folder, key)))
      : [];
  // A ready embedding's name may be anything, and is not to be read as a path.
  return [...new Set([key, plain, ...paths].map(nameKey))];
}

/** Where the names of a folder's images begin, the first at their paths' own beginning. */
type Beginnings = readonly { readonly at: number; readonly place: Place }[];

function beginningsIn(folder: string, places: ReadonlyMap<string, Place>): Beginnings {
  const beginnings: { at: number; place: Place }[] = [{ at: 0, place: 'folder' }];
  for (let at = folder.indexOf('/') + 1; at > 0; at = folder.indexOf('/', at) + 1) {
    const place = places.get(folder.slice(0, at));
    if (place !== undefined) beginnings.push({ at, place });
  }
  return beginnings;
}

/** A name as it is, and without its ending: WebDataset's keys end at the first point, others' at the last. */
function* stemsOf(name: string): Generator<{ readonly form: string; readonly isStem: boolean }, void, void> {
  yield { form: name, isStem: false };
  // What begins with a point has no ending there.
  const begin = name.lastIndexOf('/') + 2;
  const [first, last] = [name.indexOf('.', begin), name.lastIndexOf('.')];
  if (last >= begin) yield { form: name.slice(0, last), isStem: true };
  if (first >= begin && first < last) yield { form: name.slice(0, first), isStem: true };
}

function preferred(found: readonly Match[], key: string): readonly NamedImage[] {
  const isOwn = found.some(({ place }) => place === 'own');
  const placed = found.filter(({ place }) => !isOwn || place !== 'shard');
  const isWhole = placed.some(({ isStem }) => !isStem);
  const named = placed.filter(({ isStem }) => !isWhole || !isStem);
  const written = posix.normalize(key);
  const pictures = new Map(named.map((match) => [match.id, match]));
  const exact = new Set(
    [...pictures.values()].filter(({ path }) => path.includes(written)).map(({ path }) => nameKey(path)),
  );
  return [...pictures.values()].filter(({ path }) => path.includes(written) || !exact.has(nameKey(path)));
}

function isShard(source: string): boolean {
  return /\.tar$/i.test(source);
}
