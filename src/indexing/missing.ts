/** Images that an index had and that can no longer be read. They come back with their ids and metadata. */

import type { KnownImage, MissingImage, VectorStore } from '../store/index.ts';
import type { KnownImages } from './known.ts';

/** By default, how many days an image can come back. */
export const daysKept = 30;
const millisecondsPerDay = 86_400_000;
const picturesPerLookup = 1000;

type Place = Pick<MissingImage, 'id' | 'path' | 'since'>;

export class MissingImages {
  readonly #store: VectorStore;
  readonly #byPath = new Map<string, Place>();
  /** Those of the same contents. */
  readonly #byHash = new Map<string, Place[]>();

  private constructor(store: VectorStore) {
    this.#store = store;
  }

  static async of(store: VectorStore): Promise<MissingImages> {
    const missing = new MissingImages(store);
    await missing.settle(Number.POSITIVE_INFINITY);
    for await (const batch of store.missing()) {
      for (const { id, path, hash, since } of batch) {
        missing.#byPath.set(path, { id, path, since });
        missing.#byHash.set(hash, [...(missing.#byHash.get(hash) ?? []), { id, path, since }]);
      }
    }
    return missing;
  }

  /** Those that were at these paths, by path. */
  async at(paths: readonly string[]): Promise<Map<string, MissingImage>> {
    const some = paths.filter((path) => this.#byPath.has(path));
    const found = some.length === 0 ? [] : await this.#store.findMissing('path', some);
    return new Map(found.map((picture) => [picture.path, picture]));
  }

  /** A missing image with these contents whose path has no image now: it was renamed. Each is returned once. */
  async withHash(hash: string, known: KnownImages): Promise<MissingImage | undefined> {
    const places = this.#byHash.get(hash) ?? [];
    const place = places.find(({ path }) => !known.wasSeen(path));
    if (place === undefined) return undefined;
    this.#byHash.set(
      hash,
      places.filter((other) => other !== place),
    );
    return (await this.#store.findMissing('id', [place.id]))[0];
  }

  /** Takes images out of the index so that they can come back. Notes them first, so that at no moment one is lost. */
  async take(ids: readonly string[]): Promise<void> {
    const since = Date.now();
    for (let start = 0; start < ids.length; start += picturesPerLookup) {
      const some = ids.slice(start, start + picturesPerLookup);
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
      const present = await this.#store.find(
        'id',
        batch.map(({ id }) => id),
      );
      const ids = new Set(present.map(({ id }) => id));
      const over = batch.filter(({ id, since }) => since <= oldest || ids.has(id));
      await this.#store.removeMissing(over.map(({ id }) => id));
    }
  }
}
