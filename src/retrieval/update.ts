/** Brings an index up to date with folders, files and shards: only what is new, changed, renamed or gone costs anything. */

import type { Clip } from '../clip/index.ts';
import { chunks } from '../core/index.ts';
import { openSources, PictureReader, type SourceOptions, type Unreadable } from '../pictures/index.ts';
import type { Picture, VectorStore } from '../store/index.ts';
import { Changes } from './changes.ts';
import { KnownPictures } from './known.ts';

export interface UpdateOptions extends Omit<SourceOptions, 'onUnreadable'> {
  /** Folders, picture files and WebDataset shards (`.tar`). */
  readonly pictures?: readonly string[] | undefined;
  /** Threads that read and preprocess. Default: one for every two of the processor's. */
  readonly readers?: number | undefined;
  /** Larger pictures are refused. Default: 200 million pixels. */
  readonly maxPixels?: number | undefined;
  /** Ids for new pictures, by path. Default: random ones. */
  readonly idsOf?: ((paths: readonly string[]) => Promise<ReadonlyMap<string, string>>) | undefined;
}

export interface UpdateSummary {
  /** Pictures that are new, and of which contents or places are. */
  readonly added: number;
  readonly changed: number;
  readonly renamed: number;
  readonly removed: number;
  readonly unchanged: number;
  /** New broken ones; `store.broken()` has all. */
  readonly broken: number;
  /** Pictures that were encoded. */
  readonly encoded: number;
  /** From the first encoded picture to the last. */
  readonly encodingSeconds: number;
}

export type UpdateEvent =
  /** Folders are looked through: `found` pictures so far. */
  | { readonly kind: 'looking'; readonly found: number }
  /** All are found, and `todo` of them are new or changed. */
  | { readonly kind: 'begin'; readonly found: number; readonly todo: number }
  | { readonly kind: 'progress'; readonly done: number; readonly todo: number }
  /** What was done until now is committed. */
  | { readonly kind: 'commit'; readonly done: number; readonly todo: number }
  /** Compacting, and making the approximate index where it pays. */
  | { readonly kind: 'maintain' }
  | { readonly kind: 'end'; readonly summary: UpdateSummary };

/** Found pictures that are looked up together. */
const picturesPerLookup = 256;
const lookEvery = 1000;
/** The store is put in order when it has grown so much, and has so many pictures: not at the end alone, nor all the time. */
const growthPerMaintenance = 1.25;
const fewestPerMaintenance = 10_000;

/**
 * Looks twice: first to know what there is and what is gone, so that a renamed picture keeps its vector, then to read what
 * is new. What is encoded is committed every five seconds, at the end, and when anything ends the work.
 * @throws LincirError as `openSources` and the store do, and the signal's reason
 */
export async function* updateIndex(
  store: VectorStore,
  clip: Clip,
  { pictures = [], readers, maxPixels, idsOf, ...options }: UpdateOptions,
): AsyncGenerator<UpdateEvent, void, void> {
  const { signal } = options;
  const unreadable = new Map<string, Unreadable>();
  const onUnreadable = (entry: Unreadable) => unreadable.set(entry.path, entry);
  const sources = await openSources(pictures, { ...options, onUnreadable });
  const known = await KnownPictures.of(store);
  let found = 0;
  let todo = 0;
  let unchanged = 0;
  for await (const picture of sources.pictures()) {
    found += 1;
    if (known.see(picture) !== 'same') todo += 1;
    else if (!known.isBroken(picture.path)) unchanged += 1;
    if (found % lookEvery === 0) yield { kind: 'looking', found };
  }
  yield { kind: 'begin', found, todo };

  const isGone = (path: string): boolean =>
    unreadable.get(path)?.isMissing ??
    (sources.covers(path) &&
      !known.wasSeen(path) &&
      ![...unreadable.keys()].some((top) => isWithin(path, top)));
  const gone = await goneFrom(store, isGone);
  const changes = new Changes(store, gone.pictures, idsOf);
  const settings = { preprocessing: clip.preprocessing, ...(maxPixels && { maxPixels }) };
  const perRun = clip.picturesPerRun;
  const reader = new PictureReader({
    ...settings,
    ...(clip.targetPad && { targetPad: clip.targetPad }),
    threads: readers,
    ahead: 3 * perRun,
  });
  /** What is new or changed, with what the index has of it. */
  async function* wanted() {
    for await (const some of chunks(changedOf(sources.pictures(), known), picturesPerLookup)) {
      yield* await changes.lookUp(some, known);
    }
  }
  const before = await store.count();
  let maintained = before;
  try {
    try {
      for await (const item of reader.read(wanted())) {
        signal?.throwIfAborted();
        await changes.take(item);
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
      await changes.commit();
    }
  } finally {
    await reader.close();
  }
  await changes.finish(gone.broken, unreadable.values());
  yield { kind: 'maintain' };
  await store.maintain();
  const { summary } = changes;
  yield { kind: 'end', summary: { ...summary, unchanged: summary.unchanged + unchanged } };
}

function isWithin(path: string, top: string): boolean {
  return path === top || path.startsWith(`${top}/`) || path.startsWith(`${top}!/`);
}

/** What is there no more: pictures by their contents, broken ones by their paths. */
async function goneFrom(store: VectorStore, isGone: (path: string) => boolean) {
  const pictures = new Map<string, Picture[]>();
  for await (const batch of store.pictures()) {
    for (const picture of batch) {
      if (isGone(picture.path)) pictures.set(picture.hash, [...(pictures.get(picture.hash) ?? []), picture]);
    }
  }
  const broken: string[] = [];
  for await (const batch of store.broken()) {
    broken.push(...batch.flatMap(({ path }) => (isGone(path) ? [path] : [])));
  }
  return { pictures, broken };
}

async function* changedOf<Found extends Picture | Parameters<KnownPictures['see']>[0]>(
  found: AsyncIterable<Found>,
  known: KnownPictures,
): AsyncGenerator<Found, void, void> {
  for await (const picture of found) if (known.see(picture) !== 'same') yield picture;
}
