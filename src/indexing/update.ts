/** Brings an index up to date with folders, files and shards. Only new, changed, renamed or missing images cost anything. */

import type { Clip } from '../clip/index.ts';
import { chunks, type LincirError, nameKey } from '../core/index.ts';
import { Scratch } from '../files/index.ts';
import {
  ImageReader,
  type LeftOut,
  leftOutCounter,
  memberMark,
  openSources,
  type SourceOptions,
  type Unreadable,
} from '../pictures/index.ts';
import type { Facts, IndexedImage, VectorStore } from '../store/index.ts';
import { Changes, placeOf } from './changes.ts';
import type { Comparison } from './choices.ts';
import { takeSample, type WorkAhead } from './forecast.ts';
import { GoneImages } from './gone.ts';
import { Growth } from './growth.ts';
import { KnownImages } from './known.ts';
import { KnownShards } from './known-shards.ts';
import { Losses } from './losses.ts';
import { daysKept, MissingImages } from './missing.ts';
import { storedPhotoColumns } from './photo-columns.ts';
import { dropStaleRecords, recordsOf } from './sharding/stale.ts';
import { UnreadablePlaces } from './unreadable.ts';

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
  /**
   * Images whose facts are held in memory, 50 bytes each. Those of more are in temporary files in the cache folder. Default:
   * a 32nd of the machine's memory.
   */
  readonly heldImages?: number;
  /** Called when all images are found, before any is encoded: for a look ahead. The work waits for it. */
  readonly onFound?: (clip: Clip, ahead: WorkAhead) => Promise<void>;
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
  options: UpdateOptions,
): AsyncGenerator<UpdateEvent, void, void> {
  const opened: { close(): void }[] = [];
  const closing = <Resource extends { close(): void }>(resource: Resource): Resource => {
    opened.push(resource);
    return resource;
  };
  try {
    yield* update(store, clip, options, closing);
  } finally {
    for (const resource of opened) resource.close();
  }
}

async function* update(
  store: VectorStore,
  clip: Clip,
  { images = [], readers, maxPixels, idsOf, heldImages: held, onFound, ...options }: UpdateOptions,
  closing: <Resource extends { close(): void }>(resource: Resource) => Resource,
): AsyncGenerator<UpdateEvent, void, void> {
  const { signal, compare, removeMissing = false, allowAbsent = removeMissing } = options;
  const { keepMissingDays = daysKept } = options;
  const scratch = await Scratch.in();
  const unreadable = closing(new UnreadablePlaces(scratch, held));
  const onUnreadable = (entry: Unreadable) => unreadable.note(entry);
  const leftOut = leftOutCounter();
  let isFirstLook = true;
  const onLeftOut = (name: string) => isFirstLook && leftOut.count(name);
  const isKnown = async (covered: string) =>
    (await hasPicture(store, covered)) || (await recordsOf(store, [covered])).length > 0;
  const knows = allowAbsent ? isKnown : undefined;
  const shards = await KnownShards.of(store, compare !== 'contents');
  const isKnownShard = (shard: string, version: string) => shards.see(shard, version);
  const walked = { ...options, onUnreadable, onLeftOut, isKnownShard };
  const sources = await openSources(images, { ...walked, knows });
  await store.annotate(storedPhotoColumns, []);
  const tell: KnownShards['count'] = (path, kind) => shards.count(path, kind);
  const known = closing(await KnownImages.of(store, { compare, scratch, held, tell }));
  for await (const batch of known.doubled(store)) {
    const covered = batch.filter(({ path }) => sources.covering(path) !== undefined);
    await store.remove(covered.map(({ id }) => id));
  }
  const missing = closing(await MissingImages.of(store, scratch, held));
  let found = 0;
  let todo = 0;
  let unchanged = 0;
  const sample: string[] = [];
  for await (const picture of sources.pictures()) {
    found += 1;
    if (known.see(picture) !== 'same') {
      takeSample(sample, picture.path, todo);
      todo += 1;
      shards.want(picture.path);
    } else if (!known.has(picture.path, 'broken')) unchanged += 1;
    if (found % lookEvery !== 0) continue;
    await unreadable.tidy();
    yield { kind: 'looking', found };
  }
  found += shards.skipped.images + shards.skipped.broken;
  unchanged += shards.skipped.images;
  isFirstLook = false;
  await onFound?.(clip, { todo, sample, precision: store.info.precision });
  yield { kind: 'begin', found, todo };

  /** The source of an image; undefined if no source covers it. */
  const sourceOf = (path: string): string | undefined =>
    sources.covering(path) ??
    (known.has(path, 'seen') || unreadable.isMissing(path) !== undefined ? path : undefined);
  const isGone = (path: string): boolean =>
    unreadable.isMissing(path) ??
    (sources.covering(path) !== undefined &&
      !(known.has(path, 'seen') || shards.covers(path) || unreadable.covers(path)));
  const losses = new Losses();
  const gone = closing(new GoneImages(store, known, scratch, held));
  await survey(
    store,
    known,
    (picture) => {
      const source = sourceOf(picture.path);
      if (source !== undefined) losses.know(picture.path, source);
      if (isGone(picture.path)) gone.add(picture);
    },
    gone,
  );
  const changes = closing(new Changes({ store, known, gone, missing, scratch, held, idsOf }));
  /** New or changed images, with what the index knows about them. */
  async function* wanted() {
    for await (const some of chunks(changedOf(sources.pictures(), known), picturesPerLookup)) {
      await unreadable.tidy();
      yield* await changes.lookUp(some);
    }
  }
  async function* encodeWanted(): AsyncGenerator<UpdateEvent, void, void> {
    const perRun = clip.picturesPerRun;
    const reader = new ImageReader({
      ...{ preprocessing: clip.preprocessing, maxPixels, threads: readers, ahead: 3 * perRun },
      targetPad: clip.targetPad ?? undefined,
    });
    const growth = await Growth.of(store);
    let added = 0;
    try {
      for await (const item of reader.read(wanted())) {
        signal?.throwIfAborted();
        await changes.take(item);
        if (changes.waiting >= perRun) await changes.encode(clip);
        if (await changes.commitIfDue()) {
          yield { kind: 'commit', done: changes.done, todo };
          await growth.add(changes.summary.added - added);
          ({ added } = changes.summary);
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
  const placed = <Lost extends { readonly path: string }>(loss: Lost) => {
    return { ...loss, source: sourceOf(loss.path)! };
  };
  function* lost() {
    for (const loss of changes.losses()) yield placed(loss);
  }
  const verdict = removeMissing ? undefined : await losses.judge(lost, known);
  await changes.finish(
    (path) => verdict?.isKept(placed({ path })) ?? false,
    (path) => known.has(path, 'mended') || (known.has(path, 'broken') && isGone(path)),
    unreadable,
  );
  await missing.settle(keepMissingDays);
  const isGoneThrough = (path: string) =>
    !unreadable.covers(path) &&
    sources.covering(/\.tar$/i.test(path) ? `${path}${memberMark}` : path.replace(/\/?$/, '/')) !== undefined;
  if (!verdict) await shards.record(store, (shard) => unreadable.covers(shard));
  await dropStaleRecords(store, isGoneThrough, (path) => shards.has(path), signal);
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
  const value = nameKey(covered);
  if (!covered.endsWith('/')) {
    return (await store.count({ kind: 'compare', column: 'path', operator: '=', value })) > 0;
  }
  const pattern = `${value.replaceAll(/[\\%_]/g, '\\$&')}%`;
  return (await store.count({ kind: 'like', column: 'path', pattern, ignoreCase: false })) > 0;
}

/** Goes through the index after the first pass, and notes facts about files that an earlier version did not know. */
async function survey(
  store: VectorStore,
  known: KnownImages,
  look: (picture: IndexedImage) => void,
  gone: GoneImages,
): Promise<void> {
  for await (const batch of store.images()) {
    const learned: Facts[] = [];
    for (const picture of batch) {
      look(picture);
      const statusChanged = picture.statusChanged ?? known.statusOf(picture.path);
      if (statusChanged !== picture.statusChanged) learned.push(placeOf({ ...picture, statusChanged }));
    }
    await store.move(learned);
    await gone.tidy();
  }
}

async function* changedOf<Found extends IndexedImage | Parameters<KnownImages['see']>[0]>(
  found: AsyncIterable<Found>,
  known: KnownImages,
): AsyncGenerator<Found, void, void> {
  for await (const picture of found) if (known.see(picture) !== 'same') yield picture;
}
