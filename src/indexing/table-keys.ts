/** Finds the images that a table's keys mean: paths, or names in the table's folder, an indexed folder or a shard. */

import { dirname, isAbsolute, join, posix } from 'node:path';
import { chunks, nameKey } from '../core/index.ts';
import { Scratch } from '../files/index.ts';
import { indexPath, memberMark } from '../pictures/index.ts';
import { LongList } from './records/list.ts';
import { RowsByForm } from './rows-by-form.ts';

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

/** A match of a key, by its row's number. */
interface RowMatch extends Match {
  readonly row: number;
}

export interface KeyOptions {
  /** Rows for which all images are read once. */
  readonly rowsPerScan?: number;
  /** Names that memory holds. */
  readonly held?: number;
}

/** Rows whose matches are looked at together. */
const rowsPerLook = 2 ** 16;
/** Matches that memory holds. */
const matchesHeld = 2 ** 16;
const fewestHeld = 256;
const rowsPerTidy = 1000;

/**
 * The rows with the images that their keys mean. A key may lack the ending, as img2dataset's keys do. If several
 * images fit, these win: images in the shard or folder with the table's own name over other shards' members, whole names
 * over names without the ending, and of canonically equivalent paths the one that is written as the key.
 * @param rows goes through the rows, the same ones whenever it is called
 * @param table the path of the table
 * @param sources folders and shards that were indexed
 */
export async function* imagesOfKeys<Row extends { readonly key: string }>(
  rows: () => AsyncIterable<Row>,
  pictures: () => AsyncIterable<readonly NamedImage[]>,
  table: string,
  sources: readonly string[],
  { rowsPerScan = 2 ** 24, held }: KeyOptions = {},
): AsyncGenerator<{ readonly row: Row; readonly images: readonly NamedImage[] }, void, void> {
  const { places, folders } = placesOf(table, sources);
  const scratch = await Scratch.in();
  for (let first = 0; ; first += rowsPerScan) {
    const forms = new RowsByForm(scratch, held);
    const lists: LongList<RowMatch>[] = [];
    try {
      let count = 0;
      for await (const { key } of part(rows(), first, rowsPerScan)) {
        for (const form of formsOf(key, folders)) forms.add(form, count);
        count += 1;
        if (count % rowsPerTidy === 0) await forms.tidy();
      }
      await forms.settle();
      const parts = Math.ceil(count / rowsPerLook);
      for (let at = 0; at < parts; at += 1) {
        lists.push(new LongList(scratch, Math.max(fewestHeld, Math.floor(matchesHeld / parts))));
      }
      if (count > 0) {
        for await (const match of matchesOf(forms, pictures(), places)) {
          lists[Math.floor(match.row / rowsPerLook)]!.push(match);
        }
      }
      yield* preferredOf(part(rows(), first, count), lists);
      if (count < rowsPerScan) return;
    } finally {
      for (const opened of [forms, ...lists]) opened.close();
    }
  }
}

async function* preferredOf<Row extends { readonly key: string }>(
  rows: AsyncIterable<Row>,
  lists: readonly LongList<RowMatch>[],
) {
  let look = 0;
  for await (const some of chunks(rows, rowsPerLook)) {
    const found = some.map((): Match[] => []);
    for (const match of lists[look]!) found[match.row % rowsPerLook]?.push(match);
    for (const [at, row] of some.entries()) yield { row, images: preferred(found[at]!, row.key) };
    look += 1;
  }
}

async function* matchesOf(
  forms: RowsByForm,
  pictures: AsyncIterable<readonly NamedImage[]>,
  places: ReadonlyMap<string, Place>,
): AsyncGenerator<RowMatch, void, void> {
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
          for (const row of forms.get(form)) yield { row, id, path, place, isStem };
        }
      }
    }
  }
}

/** So many of the items after the first ones. */
async function* part<Item>(items: AsyncIterable<Item>, first: number, count: number) {
  let at = 0;
  for await (const item of items) {
    if (at >= first + count) return;
    if (at >= first) yield item;
    at += 1;
  }
}

function placesOf(table: string, sources: readonly string[]) {
  const stem = indexPath(table).replace(/\.[^./]+$/, '');
  const folders = [dirname(table), ...sources.filter((source) => !isShard(source))];
  const places = new Map<string, Place>([
    ...sources
      .filter(isShard)
      .map((shard) => [nameKey(`${indexPath(shard)}${memberMark}`), 'shard'] as const),
    ...folders.map((folder) => [nameKey(`${indexPath(folder)}/`.replace('//', '/')), 'folder'] as const),
    ...[`${stem}.tar${memberMark}`, `${stem}/`].map((top) => [nameKey(top), 'own'] as const),
  ]);
  return { places, folders };
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
