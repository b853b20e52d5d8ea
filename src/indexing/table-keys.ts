/** Finds the images that a table's keys mean: paths, or names in the table's folder, an indexed folder or a shard. */

import { dirname, isAbsolute, join, posix } from 'node:path';
import { nameKey } from '../core/index.ts';
import { indexPath, memberMark } from '../pictures/index.ts';

/** An image that a key may name. */
interface NamedImage {
  readonly id: string;
  readonly path: string;
}

/** A folder or shard in which a key may be a name. */
type Place = 'own' | 'shard' | 'folder';

interface Match extends NamedImage {
  readonly place: Place;
  /** The name without the ending. */
  readonly isStem: boolean;
}

/**
 * The images of each key, after reading all images once. A key may lack the ending, as img2dataset's keys do. If several
 * images fit, these win: images in the shard or folder with the table's own name over other shards' members, whole names
 * over names without the ending, and of canonically equivalent paths the one that is written as the key.
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
  // Images of one folder mostly follow each other.
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

/** The names that a key may mean. */
function formsOf(key: string, folders: readonly string[]): string[] {
  const plain = posix.normalize(process.platform === 'win32' ? key.replaceAll('\\', '/') : key);
  const paths = isAbsolute(key)
    ? [indexPath(key)]
    : plain.startsWith('..')
      ? folders.map((folder) => indexPath(join(folder, key)))
      : [];
  // A ready embedding's name may be anything, so do not read it as a path.
  return [...new Set([key, plain, ...paths].map(nameKey))];
}

/** Positions where names begin in the paths of a folder's images; the first is the path's own beginning. */
type Beginnings = readonly { readonly at: number; readonly place: Place }[];

function beginningsIn(folder: string, places: ReadonlyMap<string, Place>): Beginnings {
  const beginnings: { at: number; place: Place }[] = [{ at: 0, place: 'folder' }];
  for (let at = folder.indexOf('/') + 1; at > 0; at = folder.indexOf('/', at) + 1) {
    const place = places.get(folder.slice(0, at));
    if (place !== undefined) beginnings.push({ at, place });
  }
  return beginnings;
}

/** A name, and the name without its ending. WebDataset's keys end at the first dot, others at the last. */
function* stemsOf(name: string): Generator<{ readonly form: string; readonly isStem: boolean }, void, void> {
  yield { form: name, isStem: false };
  // A dot at the beginning does not begin an ending.
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
