/** Decides whether so many images are gone at once that a disk may be missing. Then they are kept. */

import { readdir } from 'node:fs/promises';
import { posix } from 'node:path';
import { chunks, LincirError, option, quoted } from '../core/index.ts';
import { statOf } from '../files/index.ts';
import { splitPath } from '../pictures/index.ts';
import type { KnownImages } from './known.ts';
import type { UpdateOptions } from './update.ts';

/** An image of the index that cannot be read, and the reason if its file is there. */
export interface Loss {
  readonly path: string;
  readonly reason?: string;
}

/** A loss with the folder or shard in which it was found, or its own path if it was named itself. */
type PlacedLoss = Loss & { readonly source: string };

/** Numbers of images by source, and by folder. */
type Counts = Map<string, Map<string, number>>;

/** A folder or shard that has lost too much. */
interface Place {
  readonly path: string;
  readonly known: number;
  readonly lost: number;
}

/** So many images may go anywhere without further checks. */
const few = 3;
/** If a smaller part than this of a folder's images is left, a disk may be missing. */
const leastPart = 1 / 2;
/** Stands for all files that were named one by one. */
const named = '/';
const filesPerLook = 64;
const placesNamed = 3;

/** Counts the index's images in each folder, and judges what is gone. */
export class Losses {
  readonly #known: Counts = new Map();

  /** @param source the folder or shard in which it was found, or its own path if it was named itself */
  know(path: string, source: string): void {
    count(this.#known, sourceOf(source), posix.dirname(path));
  }

  /**
   * Which images to keep, and an error about their places. They are all images of a named folder or shard; or all of a
   * folder below that has lost more than a few or is empty now, as a mount point is; or half of what was there.
   * @param losses goes through them, as often as it is called
   * @param known gets marks for what was left out on purpose
   */
  async judge(
    losses: () => Iterable<PlacedLoss>,
    known: KnownImages,
  ): Promise<{ readonly isKept: (loss: PlacedLoss) => boolean; readonly error: LincirError } | undefined> {
    let places = await this.#placesOf(losses());
    if (places.size === 0) return undefined;
    // What exists and was left out on purpose is not missing.
    const isAway = ({ path }: Loss) => !known.has(path, 'leftOut');
    if (await markLeftOut(losses(), known)) places = await this.#placesOf(those(losses(), isAway));
    const placeOf = ({ path, source }: PlacedLoss) =>
      ancestors(path, sourceOf(source)).findLast((folder) => places.has(folder));
    const topmost = new Set<string>();
    let unreadable: Loss | undefined;
    for (const loss of those(losses(), isAway)) {
      const place = placeOf(loss);
      if (place === undefined) continue;
      topmost.add(place);
      if (loss.reason !== undefined) unreadable ??= loss;
    }
    if (topmost.size === 0) return undefined;
    const error = errorOf(
      [...topmost].map((path) => places.get(path)!),
      unreadable,
    );
    return { isKept: (loss) => isAway(loss) && placeOf(loss) !== undefined, error };
  }

  async #placesOf(losses: Iterable<PlacedLoss>): Promise<Map<string, Place>> {
    const lostBySource: Counts = new Map();
    for (const { path, source } of losses) count(lostBySource, sourceOf(source), posix.dirname(path));
    const places = new Map<string, Place>();
    for (const [source, lostByFolder] of lostBySource) {
      const knownByFolder = this.#known.get(source) ?? new Map();
      const knownUnder = summed(knownByFolder, source);
      for (const [path, lost] of summed(lostByFolder, source)) {
        const known = knownUnder.get(path) ?? lost;
        const isNamed = path === source && source !== named;
        const isAll = lost >= known && (isNamed || lost > few || (await isEmpty(path)));
        if (isAll) places.set(path, { path, known, lost });
      }
      const isOther = ([folder]: [string, number]) =>
        !ancestors(`${folder}/picture`, source).some((above) => places.has(above));
      const sum = (counts: ReadonlyMap<string, number>, isCounted = isOther) =>
        [...counts].filter(isCounted).reduce((total, [, some]) => total + some, 0);
      const [known, lost] = [sum(knownByFolder), sum(lostByFolder)];
      if (lost <= few || lost < known * leastPart) continue;
      const all = () => true;
      places.set(source, { path: source, known: sum(knownByFolder, all), lost: sum(lostByFolder, all) });
    }
    return places;
  }
}

/** Folders and shards. Files that were named one by one count together. */
function sourceOf(covered: string): string {
  return covered.endsWith('/') && covered !== named ? covered.slice(0, -1) : named;
}

function count(counts: Counts, source: string, folder: string): void {
  const folders = counts.get(source) ?? new Map<string, number>();
  counts.set(source, folders.set(folder, (folders.get(folder) ?? 0) + 1));
}

/** Counts for folders, including everything below. */
function summed(counts: ReadonlyMap<string, number>, source: string): Map<string, number> {
  const sums = new Map<string, number>();
  for (const [folder, some] of counts) {
    for (const above of ancestors(`${folder}/picture`, source))
      sums.set(above, (sums.get(above) ?? 0) + some);
  }
  return sums;
}

/** The folders above a path, the nearest first, up to the source. */
function ancestors(path: string, source: string): string[] {
  const folders: string[] = [];
  let folder = posix.dirname(path);
  for (; folder !== source && folder !== '/' && folder !== '.'; folder = posix.dirname(folder)) {
    folders.push(folder);
  }
  return [...folders, source];
}

/** Whether a folder exists and is empty. */
async function isEmpty(folder: string): Promise<boolean> {
  return await readdir(folder).then(
    (names) => names.length === 0,
    () => false,
  );
}

function* those<Item>(items: Iterable<Item>, isOne: (item: Item) => boolean): Generator<Item, void, void> {
  for (const item of items) if (isOne(item)) yield item;
}

/** Marks images whose files are there and can be read. A shard's members have no files of their own. Returns whether there are any. */
async function markLeftOut(losses: Iterable<Loss>, known: KnownImages): Promise<boolean> {
  let isAny = false;
  for await (const some of chunks(losses, filesPerLook)) {
    await Promise.all(
      some.map(async ({ path, reason }) => {
        if (reason !== undefined || splitPath(path)[1] !== undefined) return;
        if (!(await statOf(path))?.isFile()) return;
        isAny = true;
        known.mark(path, 'leftOut');
      }),
    );
  }
  return isAny;
}

function errorOf(places: readonly Place[], unreadable: Loss | undefined): LincirError {
  const sum = (name: 'known' | 'lost') => places.reduce((total, place) => total + place[name], 0);
  const [known, lost] = [sum('known'), sum('lost')];
  const subjects = places
    .slice(0, placesNamed)
    .map(({ path }) => (path === named ? 'the files that were named' : quoted(path, 1000).slice(1, -1)));
  const more = places.length > placesNamed ? ` and ${places.length - placesNamed} more` : '';
  const why = unreadable && ` (${quoted(posix.basename(unreadable.path))}: ${unreadable.reason})`;
  return new LincirError('not-found', {
    subject: subjects.join(', ') + more,
    expected: `most of the images that the index has of it (${known})`,
    found: `${known - lost} that can be read${why ?? ''}`,
    todo:
      `nothing of it was taken out of the index, because a disk may be missing: bring it back and run the command again, ` +
      `or, if the images are gone for good, give ${option<UpdateOptions>('removeMissing')}`,
  });
}
