/** Brings an index up to date with folders, files and shards. Only new, changed, renamed or missing images cost anything. */

import type { Clip } from '../clip/index.ts';
import { chunks, type LincirError } from '../core/index.ts';
import {
  ImageReader,
  type LeftOut,
  leftOutCounter,
  openSources,
  type SourceOptions,
  type Unreadable,
} from '../pictures/index.ts';
import type { Facts, IndexedImage, VectorStore } from '../store/index.ts';
import { Changes, placeOf } from './changes.ts';
import type { Comparison } from './choices.ts';
import { KnownImages } from './known.ts';
import { Losses } from './losses.ts';
import { daysKept, MissingImages } from './missing.ts';
import { storedPhotoColumns } from './photo-columns.ts';

export interface UpdateOptions extends Omit<SourceOptions, 'onUnreadable' | 'onLeftOut'> {
  /** Folders, image files and WebDataset shards (`.tar`). */
  readonly images?: readonly string[];
  /** Threads that read and preprocess. Default: one for every two cores. */
  readonly readers?: number;
  /** Larger images are refused. Default: 200 million pixels. */
  readonly maxPixels?: number;
  /** What tells that an image is unchanged. Default: `times`. */
  readonly compare?: Comparison;
  /** Take out images that are gone, even if they are so many that a disk may be missing. */
  readonly removeMissing?: boolean;
  /** Go on without named folders and files that do not exist, if the index has images of them. */
  readonly allowAbsent?: boolean;
  /** Days for which an image that was taken out can come back with its id and metadata. Default: 30. */
  readonly keepMissingDays?: number;
  /** Ids for new images, by path. Default: hashes of their paths. */
  readonly idsOf?: (paths: readonly string[]) => Promise<ReadonlyMap<string, string>>;
}

export interface UpdateSummary {
  /** New images, and images with new contents or places. */
  readonly added: number;
  readonly changed: number;
  readonly renamed: number;
  /** Images that are gone, and were taken out. */
  readonly removed: number;
  /** Images that are gone or cannot be read, but stay in the index because they are so many. */
  readonly kept: number;
  readonly unchanged: number;
  /** Newly broken images; `store.broken()` has all. */
  readonly broken: number;
  /** Images that were encoded. */
  readonly encoded: number;
  /** Seconds from the first encoded image to the last. */
  readonly encodingSeconds: number;
}

export type UpdateEvent =
  /** Folders are being read: `found` images so far. */
  | { readonly kind: 'looking'; readonly found: number }
  /** All are found, and `todo` of them are new or changed. */
  | { readonly kind: 'begin'; readonly found: number; readonly todo: number }
  | { readonly kind: 'progress'; readonly done: number; readonly todo: number }
  /** Everything done so far is committed. */
  | { readonly kind: 'commit'; readonly done: number; readonly todo: number }
  /** Compacting, and making the approximate index if it pays. */
  | { readonly kind: 'maintain' }
  /** `away` is thrown next: missing images are kept. */
  | {
      readonly kind: 'end';
      readonly summary: UpdateSummary;
      /** Files that look like images and are not taken. */
      readonly leftOut: LeftOut;
      readonly away?: LincirError;
    };

/** Found images that are looked up together. */
const picturesPerLookup = 256;
const lookEvery = 1000;
/** The store is compacted when it has grown by this factor and has so many images: neither all the time nor only at the end. */
const growthPerMaintenance = 1.25;
const fewestPerMaintenance = 10_000;

/**
 * Goes through the sources twice: first to learn what is there and what is gone, so that a renamed image keeps its
 * vector; then to read what is new. Encoded images are committed every five seconds, at the end, and when anything ends
 * the work.
 * @throws LincirError as `openSources` and the store do, and the signal's reason; after the end, 'not-found' if so many
 *   images are gone at once that a disk may be missing: they stay
 */
export async function* updateIndex(
  store: VectorStore,
  clip: Clip,
  { images = [], readers, maxPixels, idsOf, ...options }: UpdateOptions,
): AsyncGenerator<UpdateEvent, void, void> {
  const { signal, compare, removeMissing = false, allowAbsent = removeMissing } = options;
  const { keepMissingDays = daysKept } = options;
  const unreadable = new Map<string, Unreadable>();
  const onUnreadable = (entry: Unreadable) => unreadable.set(entry.path, entry);
  const leftOut = leftOutCounter();
  let isFirstLook = true;
  const onLeftOut = (name: string) => isFirstLook && leftOut.count(name);
  const knows = allowAbsent ? (covered: string) => hasPicture(store, covered) : undefined;
  const sources = await openSources(images, { ...options, onUnreadable, onLeftOut, knows });
  await store.annotate(storedPhotoColumns, []);
  const known = await KnownImages.of(store, compare);
  const doubled = known.doubled.filter(({ path }) => sources.covering(path) !== undefined);
  await store.remove(doubled.map(({ id }) => id));
  const missing = await MissingImages.of(store);
  let found = 0;
  let todo = 0;
  let unchanged = 0;
  for await (const picture of sources.pictures()) {
    found += 1;
    if (known.see(picture) !== 'same') todo += 1;
    else if (!known.isBroken(picture.path)) unchanged += 1;
    if (found % lookEvery === 0) yield { kind: 'looking', found };
  }
  isFirstLook = false;
  yield { kind: 'begin', found, todo };

  /** The source of an image; undefined if no source covers it. */
  const sourceOf = (path: string): string | undefined =>
    sources.covering(path) ?? (known.wasSeen(path) || unreadable.has(path) ? path : undefined);
  const isGone = (path: string): boolean =>
    unreadable.get(path)?.isMissing ??
    (sources.covering(path) !== undefined && !known.wasSeen(path) && !isWithinAny(path, unreadable));
  const losses = new Losses();
  const gone = await survey(store, known, isGone, (path) => {
    const source = sourceOf(path);
    if (source !== undefined) losses.know(path, source);
  });
  const changes = new Changes(store, gone.pictures, missing, idsOf);
  /** New or changed images, with what the index knows about them. */
  async function* wanted() {
    for await (const some of chunks(changedOf(sources.pictures(), known), picturesPerLookup)) {
      yield* await changes.lookUp(some, known);
    }
  }
  async function* encodeWanted(): AsyncGenerator<UpdateEvent, void, void> {
    const perRun = clip.picturesPerRun;
    const reader = new ImageReader({
      ...{ preprocessing: clip.preprocessing, maxPixels, threads: readers, ahead: 3 * perRun },
      targetPad: clip.targetPad ?? undefined,
    });
    const before = await store.count();
    let maintained = before;
    try {
      for await (const item of reader.read(wanted())) {
        signal?.throwIfAborted();
        await changes.take(item, known);
        if (changes.waiting >= perRun) await changes.encode(clip);
        if (await changes.commitIfDue()) {
          yield { kind: 'commit', done: changes.done, todo };
          const present = before + changes.summary.added;
          if (present < Math.max(fewestPerMaintenance, maintained * growthPerMaintenance)) continue;
          maintained = present;
          await store.maintain();
        } else yield { kind: 'progress', done: changes.done, todo };
      }
      await changes.encode(clip);
    } finally {
      try {
        await changes.commit();
      } finally {
        await reader.close();
      }
    }
  }
  if (todo > 0) yield* encodeWanted();
  const lost = changes.losses().map((loss) => ({ ...loss, source: sourceOf(loss.path)! }));
  const verdict = removeMissing ? undefined : await losses.judge(lost);
  const kept = verdict?.kept ?? new Set<string>();
  await changes.finish(kept, [...known.mended, ...gone.broken], unreadable.values());
  await missing.settle(keepMissingDays);
  yield { kind: 'maintain' };
  await store.maintain();
  const { summary } = changes;
  const away = verdict?.error;
  yield {
    kind: 'end',
    summary: { ...summary, unchanged: summary.unchanged + unchanged },
    leftOut: leftOut.counts,
    away,
  };
  if (away) throw away;
}

/** Whether the store has an image with this path, or one whose path begins with it. */
async function hasPicture(store: VectorStore, covered: string): Promise<boolean> {
  for await (const batch of store.images()) {
    if (batch.some(({ path }) => path === covered || (covered.endsWith('/') && path.startsWith(covered))))
      return true;
  }
  return false;
}

function isWithinAny(path: string, tops: ReadonlyMap<string, unknown>): boolean {
  if (tops.has(path)) return true;
  for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
    if (tops.has(path.slice(0, end)) || (path[end - 1] === '!' && tops.has(path.slice(0, end - 1))))
      return true;
  }
  return false;
}

/**
 * Goes through the index after the first pass. Calls `isThere` for all its images, notes facts about files that an earlier
 * version did not know, and returns what is gone: images by their contents, broken ones by their paths.
 */
async function survey(
  store: VectorStore,
  known: KnownImages,
  isGone: (path: string) => boolean,
  isThere: (path: string) => void,
) {
  const pictures = new Map<string, IndexedImage[]>();
  for await (const batch of store.images()) {
    const learned: Facts[] = [];
    for (const picture of batch) {
      const { path, hash } = picture;
      isThere(path);
      if (isGone(path)) pictures.set(hash, [...(pictures.get(hash) ?? []), picture]);
      const statusChanged = picture.statusChanged ?? known.statusOf(path);
      if (statusChanged !== picture.statusChanged) learned.push(placeOf({ ...picture, statusChanged }));
    }
    await store.move(learned);
  }
  const broken: string[] = [];
  for await (const batch of store.broken()) {
    broken.push(...batch.flatMap(({ path }) => (isGone(path) ? [path] : [])));
  }
  return { pictures, broken };
}

async function* changedOf<Found extends IndexedImage | Parameters<KnownImages['see']>[0]>(
  found: AsyncIterable<Found>,
  known: KnownImages,
): AsyncGenerator<Found, void, void> {
  for await (const picture of found) if (known.see(picture) !== 'same') yield picture;
}
