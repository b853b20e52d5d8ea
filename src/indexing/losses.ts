/** Decides whether so many images are gone at once that a disk may be missing. Then they are kept. */

import { readdir } from 'node:fs/promises';
import { posix } from 'node:path';
import { LincirError, option, quoted } from '../core/index.ts';
import { statOf } from '../files/index.ts';
import { splitPath } from '../pictures/index.ts';
import type { UpdateOptions } from './update.ts';

/** An image of the index that cannot be read, and the reason if its file is there. */
export interface Loss {
  readonly path: string;
  readonly reason?: string;
}

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
  /** Numbers of images by source, and by folder. */
  readonly #known = new Map<string, Map<string, number>>();

  /** @param source the folder or shard in which it was found, or its own path if it was named itself */
  know(path: string, source: string): void {
    count(this.#known, sourceOf(source), posix.dirname(path));
  }

  /**
   * The images to keep, and an error about their places. They are all images of a named folder or shard; or all of a
   * folder below that has lost more than a few or is empty now, as a mount point is; or half of what was there.
   */
  async judge(
    losses: readonly (Loss & { readonly source: string })[],
  ): Promise<{ readonly kept: ReadonlySet<string>; readonly error: LincirError } | undefined> {
    let places = await this.#placesOf(losses);
    if (places.size === 0) return undefined;
    // What exists and was left out on purpose is not missing.
    const away = await withoutLeftOut(losses);
    if (away.length < losses.length) places = await this.#placesOf(away);
    const placeOf = ({ path, source }: (typeof losses)[number]) =>
      ancestors(path, sourceOf(source)).findLast((folder) => places.has(folder));
    const kept = away.filter((loss) => placeOf(loss) !== undefined);
    if (kept.length === 0) return undefined;
    const topmost = new Set(kept.map((loss) => placeOf(loss)!));
    const error = errorOf(
      [...topmost].map((path) => places.get(path)!),
      kept.find(({ reason }) => reason !== undefined),
    );
    return { kept: new Set(kept.map(({ path }) => path)), error };
  }

  async #placesOf(losses: readonly (Loss & { readonly source: string })[]): Promise<Map<string, Place>> {
    const lostBySource = new Map<string, Map<string, number>>();
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

function count(counts: Map<string, Map<string, number>>, source: string, folder: string): void {
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

/** Images whose files are missing or cannot be read. A shard's members have no files of their own. */
async function withoutLeftOut<Item extends Loss>(losses: readonly Item[]): Promise<Item[]> {
  const away: Item[] = [];
  for (let start = 0; start < losses.length; start += filesPerLook) {
    const some = losses.slice(start, start + filesPerLook);
    const isThere = await Promise.all(
      some.map(async ({ path, reason }) => {
        if (reason !== undefined || splitPath(path)[1] !== undefined) return false;
        return (await statOf(path))?.isFile() ?? false;
      }),
    );
    away.push(...some.filter((_, at) => !isThere[at]));
  }
  return away;
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
