/** Finds images of an index by id: many with one question, and known ones without any. */

import type { ImageIndex } from '../indexing/index.ts';
import type { KnownImage } from '../store/index.ts';

/** Images that are remembered: about 40 MB of them. */
const mostKnown = 10_000;
/** Ids of one question. */
const idsAtOnce = 1000;

type Wanted = PromiseWithResolvers<KnownImage | undefined>;

export class Lookups {
  readonly #index: ImageIndex;
  /** The least recently used first. */
  #known = new Map<string, KnownImage>();
  #wanted = new Map<string, Wanted>();
  #isAsking = false;

  constructor(index: ImageIndex) {
    this.#index = index;
  }

  /** The index has changed. */
  forget(): void {
    this.#known = new Map();
  }

  /** The image with an id. Throws what the index throws. */
  async find(id: string): Promise<KnownImage | undefined> {
    const known = this.#known.get(id);
    if (known) {
      this.#known.delete(id);
      this.#known.set(id, known);
      return known;
    }
    const asked = this.#wanted.get(id);
    if (asked) return await asked.promise;
    const wanted: Wanted = Promise.withResolvers();
    this.#wanted.set(id, wanted);
    if (!this.#isAsking) {
      this.#isAsking = true;
      setImmediate(() => void this.#askAll());
    }
    return await wanted.promise;
  }

  /** Asks for what is wanted; and what has been wanted meanwhile, with the next question. */
  async #askAll(): Promise<void> {
    while (this.#wanted.size > 0) {
      const asked = [...this.#wanted].slice(0, idsAtOnce);
      for (const [id] of asked) this.#wanted.delete(id);
      const known = this.#known;
      try {
        const found = await this.#index.findAll(
          'id',
          asked.map(([id]) => id),
        );
        const byId = new Map(found.map((image) => [image.id, image]));
        for (const [id, { resolve }] of asked) {
          const image = byId.get(id);
          if (image) known.set(id, image);
          resolve(image);
        }
        for (const id of known.keys()) {
          if (known.size <= mostKnown) break;
          known.delete(id);
        }
      } catch (error) {
        for (const [, { reject }] of asked) reject(error);
      }
    }
    this.#isAsking = false;
  }
}
