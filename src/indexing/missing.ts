/** Images that an index had and that can no longer be read. They come back with their ids and metadata. */

import { chunks } from '../core/index.ts';
import type { Scratch } from '../files/index.ts';
import type { KnownImage, MissingImage, VectorStore } from '../store/index.ts';
import type { KnownImages } from './known.ts';
import { RecordTable } from './records/table.ts';

/** By default, how many days an image can come back. */
export const daysKept = 30;
const millisecondsPerDay = 86_400_000;
const picturesPerLookup = 1000;

export class MissingImages {
  readonly #store: VectorStore;
  /** Their paths and contents, and the ids of those that come back, each with a word before it. */
  readonly #names: RecordTable;

  private constructor(store: VectorStore, names: RecordTable) {
    this.#store = store;
    this.#names = names;
  }

  /** @param held images whose facts may be held in memory */
  static async of(store: VectorStore, scratch: Scratch, held?: number): Promise<MissingImages> {
    const missing = new MissingImages(store, new RecordTable(scratch, held));
    await missing.settle(Number.POSITIVE_INFINITY);
    for await (const batch of store.missing()) {
      for (const { path, hash } of batch)
        for (const name of [`path ${path}`, `hash ${hash}`]) missing.#put(name);
      await missing.#names.tidy();
    }
    await missing.#names.settle();
    return missing;
  }

  /** Those that were at these paths, by path. */
  async at(paths: readonly string[]): Promise<Map<string, MissingImage>> {
    const some = paths.filter((path) => this.#has(`path ${path}`));
    const found = some.length === 0 ? [] : await this.#store.findMissing('path', some);
    return new Map(found.map((picture) => [picture.path, picture]));
  }

  /** A missing image with these contents whose path has no image now: it was renamed. It is claimed. */
  async withHash(hash: string, known: KnownImages): Promise<MissingImage | undefined> {
    if (!this.#has(`hash ${hash}`)) return undefined;
    const found = await this.#store.findMissing('hash', [hash]);
    return found.find(({ id, path }) => !known.has(path, 'seen') && this.claim(id));
  }

  /** Claims the id of a missing image, which comes back. Returns whether this is the first claim. */
  claim(id: string): boolean {
    if (this.isClaimed(id)) return false;
    this.#put(`id ${id}`);
    return true;
  }

  isClaimed(id: string): boolean {
    return this.#has(`id ${id}`);
  }

  /** Call it after some thousand claims. */
  async tidy(): Promise<void> {
    await this.#names.tidy();
  }

  /** Takes images out of the index so that they can come back. Notes them first, so that at no moment one is lost. */
  async take(ids: Iterable<string>): Promise<void> {
    const since = Date.now();
    for await (const some of chunks(ids, picturesPerLookup)) {
      const noted = ({ id, path, hash, metadata }: KnownImage) => ({ id, path, hash, since, metadata });
      await this.#store.addMissing((await this.#store.find('id', some)).map(noted));
      await this.#store.remove(some);
    }
  }

  /** Forgets images that are in the index, or have been missing for so many days. */
  async settle(days: number): Promise<void> {
    const oldest = Date.now() - days * millisecondsPerDay;
    for await (const batch of this.#store.missing()) {
      // A process that ends during a change leaves an image in both places.
      const present = await this.#store.lookUp(
        'id',
        batch.map(({ id }) => id),
      );
      const ids = new Set(present.map(({ id }) => id));
      const over = batch.filter(({ id, since }) => since <= oldest || ids.has(id));
      await this.#store.removeMissing(over.map(({ id }) => id));
    }
  }

  close(): void {
    this.#names.close();
  }

  #has(name: string): boolean {
    return this.#names.find(name) !== undefined;
  }

  #put(name: string): void {
    this.#names.put(name, { marks: 0, size: 0, modified: 0, statusChanged: 0 });
  }
}
