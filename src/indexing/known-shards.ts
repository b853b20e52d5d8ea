/** Shards in object storage that an update need not read: unchanged, and the index has all that they have. */

import { splitPath } from '../pictures/index.ts';
import type { SourceRecord, VectorStore } from '../store/index.ts';
import { recordsOf } from './sharding/stale.ts';
import { thisWorker } from './sharding/worker.ts';

interface Counts {
  images: number;
  broken: number;
}

export class KnownShards {
  readonly #began = Date.now();
  /** Of shards that a complete run has gone through. */
  readonly #done: ReadonlyMap<string, SourceRecord>;
  /** What the index has of them now. */
  readonly #now: ReadonlyMap<string, Counts>;
  /** The versions that the sources have. Empty if a shard has changed between two looks. */
  readonly #versions = new Map<string, string>();
  readonly #skipped = new Set<string>();
  /** Those that have new or changed images. */
  readonly #fresh = new Set<string>();

  private constructor(records: readonly SourceRecord[]) {
    const done = records.filter(({ state }) => state === 'done');
    this.#done = new Map(done.map((record) => [record.source, record]));
    this.#now = new Map(done.map(({ source }) => [source, { images: 0, broken: 0 }]));
  }

  /** @param isTrusted whether versions tell that contents are the same */
  static async of(store: VectorStore, isTrusted: boolean): Promise<KnownShards> {
    return new KnownShards(isTrusted ? await recordsOf(store) : []);
  }

  /** Counts an image of the index, or a broken one. */
  count(path: string, kind: keyof Counts): void {
    count(this.#now, path, kind);
  }

  /** Notes an image that must be read. */
  want(path: string): void {
    const [shard, member] = splitPath(path);
    if (member !== undefined) this.#fresh.add(shard);
  }

  /**
   * Notes a shard that the sources have, and returns whether it need not be read: the first time, if the index has all of
   * it; the second time, if it has no image that must be read.
   */
  see(shard: string, version: string): boolean {
    const before = this.#versions.get(shard);
    this.#versions.set(shard, (before ?? version) === version ? version : '');
    if (before === version && !this.#skipped.has(shard)) return !this.#fresh.has(shard);
    const [record, now] = [this.#done.get(shard), this.#now.get(shard)];
    const isWhole = record?.images === now?.images && record?.broken === now?.broken;
    if (record?.version !== version || !isWhole) return false;
    this.#skipped.add(shard);
    return true;
  }

  /** Whether the sources have this shard. */
  has(shard: string): boolean {
    return this.#versions.has(shard);
  }

  /** Whether an image lies in a shard that was not read, because the index has all of it. */
  covers(path: string): boolean {
    if (this.#skipped.size === 0) return false;
    const [shard, member] = splitPath(path);
    return member !== undefined && this.#skipped.has(shard);
  }

  /** How many images, and broken ones, are in shards that were not read. */
  get skipped(): Readonly<Counts> {
    const counts = [...this.#skipped].map((shard) => this.#now.get(shard)!);
    return {
      images: counts.reduce((sum, { images }) => sum + images, 0),
      broken: counts.reduce((sum, { broken }) => sum + broken, 0),
    };
  }

  /** Records the shards that were read, at the end of a complete run. */
  async record(store: VectorStore, isUnreadable: (shard: string) => boolean): Promise<void> {
    const read = [...this.#versions].filter(
      ([shard, version]) => version !== '' && !this.#skipped.has(shard) && !isUnreadable(shard),
    );
    if (read.length === 0) return;
    const counts = new Map(read.map(([shard]) => [shard, { images: 0, broken: 0 }]));
    for (const kind of ['images', 'broken'] as const) {
      for await (const batch of store[kind]()) for (const { path } of batch) count(counts, path, kind);
    }
    const about = {
      state: 'done',
      began: this.#began,
      updated: Date.now(),
      worker: await thisWorker(),
    } as const;
    const records = read.map(([shard, version]) => {
      return { source: shard, version, ...about, ...counts.get(shard)! };
    });
    await store.recordSources(records);
  }
}

/** Counts a member of one of these shards. */
function count(shards: ReadonlyMap<string, Counts>, path: string, kind: keyof Counts): void {
  if (shards.size === 0) return;
  const [shard, member] = splitPath(path);
  const counts = member === undefined ? undefined : shards.get(shard);
  if (counts) counts[kind] += 1;
}
