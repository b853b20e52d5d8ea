/** Does one shard of the work on an index, beside other workers: source after source, each with its record. */

import type { Clip } from '../../clip/index.ts';
import { LincirError } from '../../core/index.ts';
import {
  type FoundImage,
  ImageReader,
  reasonOf,
  shardName,
  type Unreadable,
  type WorkOptions,
  type WorkShard,
  type WorkSource,
  workSources,
} from '../../pictures/index.ts';
import type { SourceRecord, VectorStore } from '../../store/index.ts';
import type { Comparison } from '../choices.ts';
import { storedPhotoColumns } from '../photo-columns.ts';
import { Additions, type Candidate } from './additions.ts';
import { isActive } from './status.ts';
import { endedAmong, thisWorker } from './worker.ts';

export interface ShardOptions extends WorkOptions {
  /** Folders and WebDataset shards (`.tar`), the same ones for all workers. */
  readonly images: readonly string[];
  readonly shard: WorkShard;
  /** Threads that read and preprocess. Default: one for every two cores. */
  readonly readers?: number;
  /** Larger images are refused. Default: 200 million pixels. */
  readonly maxPixels?: number;
  /** What tells that an image is unchanged. Default: `times`. */
  readonly compare?: Comparison;
}

export interface ShardSummary {
  /** Sources that fall to this shard: gone through now, done before, and failed. */
  readonly sources: { readonly done: number; readonly skipped: number; readonly failed: number };
  readonly added: number;
  readonly changed: number;
  readonly unchanged: number;
  readonly broken: number;
  /** Images that were encoded. */
  readonly encoded: number;
}

export type ShardEvent =
  /** So many sources fall to this shard, and so many of them are done. */
  | { readonly kind: 'begin'; readonly sources: number; readonly skipped: number }
  /** A source begins, is done or has failed. */
  | { readonly kind: 'source'; readonly record: SourceRecord }
  /** So many images of all sources are done. */
  | { readonly kind: 'progress'; readonly done: number }
  | { readonly kind: 'maintain' }
  /** Other workers have so many sources left. The last one does what `maintain` means. */
  | { readonly kind: 'left'; readonly sources: number }
  | { readonly kind: 'end'; readonly summary: ShardSummary; readonly failed?: LincirError };

/** Found images, and their bytes, that are looked up together: a shard in object storage is kept in memory for so long. */
const imagesPerLookup = 256;
const bytesPerLookup = 2 ** 26;
/** Milliseconds between records of a source that is being gone through. */
const millisecondsPerRecord = 15_000;

/**
 * Goes through the sources that fall to this shard, except those that are done and unchanged. Images that the index has
 * are not encoded again. Nothing is removed. A source is recorded as done after its last commit. The failure of one is
 * recorded, and the others go on.
 * @throws LincirError as `workSources` and the store do, and the signal's reason; after the end, 'io' if sources failed
 */
export async function* indexShard(
  store: VectorStore,
  clip: Clip,
  options: ShardOptions,
): AsyncGenerator<ShardEvent, void, void> {
  const { images, shard, readers, maxPixels, signal } = options;
  const sources = await workSources(images, shard, options);
  const present = await store.columns();
  if (![...storedPhotoColumns.keys()].every((name) => present.has(name))) {
    await store.annotate(storedPhotoColumns, []);
  }
  const work = await openWork(store, sources);
  const skipped = sources.length - work.length;
  yield { kind: 'begin', sources: sources.length, skipped };
  const reader = new ImageReader({
    ...{ preprocessing: clip.preprocessing, maxPixels, threads: readers, ahead: 3 * clip.picturesPerRun },
    targetPad: clip.targetPad ?? undefined,
  });
  const sum = { added: 0, changed: 0, unchanged: 0, broken: 0, encoded: 0 };
  const failures: SourceRecord[] = [];
  try {
    for (const { source, record } of work) {
      signal?.throwIfAborted();
      const additions = new Additions(store, options.compare ?? 'times', record.broken > 0);
      let ended: SourceRecord | undefined;
      for await (const event of goThrough(source, record, { store, clip, reader, additions, signal })) {
        if (event.kind === 'source') ended = event.record;
        yield event.kind === 'progress' ? { ...event, done: event.done + doneIn(sum) } : event;
      }
      if (ended?.state === 'failed') failures.push(ended);
      for (const key of Object.keys(sum) as (keyof typeof sum)[]) sum[key] += additions.counts[key];
    }
  } finally {
    await reader.close();
  }
  await store.commit();
  // A worker that goes on where another was killed may have nothing left to add.
  const left = work.length > 0 ? await leftToOthers(store) : undefined;
  if (left === 0) {
    yield { kind: 'maintain' };
    await store.maintain();
  } else if (left !== undefined) yield { kind: 'left', sources: left };
  const done = work.length - failures.length;
  const summary = { sources: { done, skipped, failed: failures.length }, ...sum };
  const failed =
    failures.length > 0 &&
    new LincirError('io', {
      subject: `shard ${shardName(shard)}`,
      expected: `all of its ${sources.length} sources`,
      found: `${failures.length} that failed`,
      todo: 'mend them, and run the same command again: what is done is skipped',
    });
  yield { kind: 'end', summary, ...(failed && { failed }) };
  if (failed) throw failed;
}

/** A source to go through, and its record, as far as an earlier worker came. */
interface Work {
  readonly source: WorkSource;
  readonly record: SourceRecord;
}

/** The sources that are not done, recorded as such, so that others know how much is left. */
async function openWork(store: VectorStore, sources: readonly WorkSource[]): Promise<Work[]> {
  const records = await store.findSources(sources.map(({ name }) => name));
  const known = new Map(records.map((record) => [record.source, record]));
  const worker = await thisWorker();
  const work: Work[] = [];
  for (const source of sources) {
    const earlier = known.get(source.name);
    // What fails here fails again when it is gone through.
    const version = await source.version().catch(() => '');
    if (earlier?.state === 'done' && earlier.version === version) continue;
    const now = Date.now();
    const counts = { images: 0, broken: earlier?.broken ?? 0, began: now, updated: now };
    const record = { source: source.name, version, state: 'waiting', ...counts, worker } as const;
    work.push({ source, record });
  }
  await store.recordSources(work.map(({ record }) => record));
  return work;
}

interface Tools {
  readonly store: VectorStore;
  readonly clip: Clip;
  readonly reader: ImageReader;
  readonly additions: Additions;
  readonly signal: AbortSignal | undefined;
}

async function* goThrough(
  source: WorkSource,
  waiting: SourceRecord,
  { store, clip, reader, additions, signal }: Tools,
): AsyncGenerator<Extract<ShardEvent, { kind: 'source' | 'progress' }>, void, void> {
  const began = Date.now();
  const worker = await thisWorker();
  const recorded = async (state: SourceRecord['state'], version: string, reason?: string) => {
    const { added, changed, unchanged, broken } = additions.counts;
    const counts = { images: added + changed + unchanged, broken };
    const times = { began, updated: Date.now(), worker };
    const record = { source: source.name, version, state, ...counts, ...times, ...(reason && { reason }) };
    await store.commit(); // so that whoever finds the record finds the images
    await store.recordSources([record]);
    return record;
  };
  const version = waiting.version || (await source.version().catch(() => ''));
  let told = Date.now();
  let failure: string | undefined;
  yield { kind: 'source', record: await recorded('running', version) };
  const onUnreadable = (entry: Unreadable) => {
    if (entry.path === source.name) failure ??= entry.reason;
    else additions.note({ ...entry, size: 0, modified: 0 });
  };
  /** What the store throws ends all work. */
  let ofStore: unknown;
  async function* wanted(): AsyncGenerator<Candidate, void, void> {
    for await (const some of gathered(source.images(onUnreadable))) {
      const candidates = await additions.lookUp(some).catch((error: unknown) => {
        ofStore = error;
        throw error;
      });
      yield* candidates;
    }
  }
  const read = reader.read(wanted());
  try {
    for (;;) {
      const item = await read.next().catch((error: unknown) => {
        signal?.throwIfAborted();
        if (error === ofStore || !(error instanceof LincirError)) throw error;
        return error;
      });
      if (item instanceof LincirError) failure = reasonOf(item);
      if (item instanceof LincirError || item.done) break;
      signal?.throwIfAborted();
      additions.take(item.value.wanted, item.value.read);
      if (additions.waiting >= clip.picturesPerRun) await additions.encode(clip);
      if ((await additions.commitIfDue()) && Date.now() - told > millisecondsPerRecord) {
        told = Date.now();
        await recorded('running', version);
      }
      yield { kind: 'progress', done: doneIn(additions.counts) };
    }
    await additions.encode(clip);
  } finally {
    await additions.commit();
    if (signal?.aborted) await recorded('waiting', version);
  }
  const state = failure === undefined ? 'done' : 'failed';
  yield { kind: 'source', record: await recorded(state, version, failure) };
}

/** Groups of images. If the source fails, what came before still counts. */
async function* gathered(found: AsyncIterable<FoundImage>): AsyncGenerator<FoundImage[], void, void> {
  let some: FoundImage[] = [];
  let bytes = 0;
  try {
    for await (const picture of found) {
      some.push(picture);
      bytes += picture.size;
      if (some.length < imagesPerLookup && bytes < bytesPerLookup) continue;
      yield some;
      some = [];
      bytes = 0;
    }
  } catch (error) {
    if (some.length > 0) yield some;
    throw error;
  }
  if (some.length > 0) yield some;
}

/** How many sources others have left, but for workers of this machine that have ended. */
async function leftToOthers(store: VectorStore): Promise<number> {
  let left = 0;
  for await (const records of store.sources()) {
    const open = records.filter((record) => record.state === 'waiting' || isActive(record));
    left += open.length - (await endedAmong(open)).size;
  }
  return left;
}

function doneIn({ added, changed, unchanged, broken }: Additions['counts']): number {
  return added + changed + unchanged + broken;
}
