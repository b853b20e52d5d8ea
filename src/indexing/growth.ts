/** Tells when a growing store is to be compacted and indexed: neither all the time nor only at the end. */

import type { VectorStore } from '../store/index.ts';

const growthPerMaintenance = 1.25;
const fewestPerMaintenance = 10_000;

export class Growth {
  readonly #store: VectorStore;
  #present: number;
  #maintained: number;

  private constructor(store: VectorStore, present: number) {
    this.#store = store;
    this.#present = present;
    this.#maintained = present;
  }

  static async of(store: VectorStore): Promise<Growth> {
    return new Growth(store, await store.count());
  }

  /** Notes that so many images were added. */
  async add(count: number): Promise<void> {
    this.#present += count;
    if (this.#present < Math.max(fewestPerMaintenance, this.#maintained * growthPerMaintenance)) return;
    this.#maintained = this.#present;
    await this.#store.maintain();
  }
}
