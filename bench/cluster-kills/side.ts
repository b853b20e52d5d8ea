/** A client of some nodes while the network is cut: what it adds and searches, and what it is told. */

import { type FoundImage, type ImageIndex, openIndex } from '../../src/indexing/index.ts';
import { backendOf, type StoredImage, type VectorStore } from '../../src/store/index.ts';
import { dot, madeImage, queryOf, top } from './data.ts';

const imagesPerCall = 20;
const queries = 100;

/** What all clients together have given and been promised. */
export class Ledger {
  readonly acknowledged = new Map<string, StoredImage>();
  /** What searches must find. */
  readonly committed = new Map<string, StoredImage>();
  /** Given to some call, which may not have ended: searches may find it. */
  readonly sent = new Set<string>();

  give(): StoredImage[] {
    const images = Array.from({ length: imagesPerCall }, (_, at) =>
      madeImage(`new-${this.sent.size + at}`, 1000 + this.sent.size + at),
    );
    for (const { id } of images) this.sent.add(id);
    return images;
  }
}

/** What a client was told while the network was cut. */
interface Told {
  added: number;
  failedAdds: number;
  answers: number;
  failedSearches: number;
  /** Answers that lack what was committed before the cut, or have what nobody gave. */
  wrong: number;
  /** Answers that lack what somebody committed since. */
  stale: number;
  /** Images in answers that were gone when the network was whole again. */
  vanished: number;
  longestSeconds: number;
  errors: string[];
}

export class Side {
  readonly #uri: string;
  readonly #ledger: Ledger;
  readonly #seen = new Set<string>();
  #store!: VectorStore;
  #index!: ImageIndex;
  #before: ReadonlyMap<string, StoredImage> = new Map();
  #isCut = false;
  #told = newTold();

  constructor(uri: string, ledger: Ledger) {
    this.#uri = uri;
    this.#ledger = ledger;
  }

  /** Opens the index as workers and servers do, who keep it open. */
  async open(): Promise<void> {
    const { backend, location } = await backendOf(this.#uri);
    this.#store = await backend.open(location, 'add');
    this.#index = await openIndex(this.#uri);
  }

  async close(): Promise<void> {
    await this.#store.close();
    await this.#index.close();
  }

  /** From now on, all that it is told counts. */
  begin(): void {
    this.#before = new Map(this.#ledger.committed);
    this.#isCut = true;
  }

  /** Nothing counts any more. */
  end(): void {
    this.#isCut = false;
  }

  /** @param present ids of the images that are there now */
  told(present: ReadonlySet<string>): Told {
    return { ...this.#told, vanished: [...this.#seen].filter((id) => !present.has(id)).length };
  }

  async add(): Promise<boolean> {
    return await this.#timed('failedAdds', async () => {
      const images = this.#ledger.give();
      await this.#store.add(images);
      for (const image of images) this.#ledger.acknowledged.set(image.id, image);
      if (this.#isCut) this.#told.added += images.length;
      await this.#store.commit();
      for (const image of images) this.#ledger.committed.set(image.id, image);
    });
  }

  /** @param isAnew opens the index for this search, as a command does */
  async search(isAnew: boolean): Promise<boolean> {
    return await this.#timed('failedSearches', async () => {
      const { vector } = madeImage('query', 950_000 + Math.floor(Math.random() * queries));
      const due = new Map(this.#ledger.committed);
      const index = isAnew ? await openIndex(this.#uri) : this.#index;
      try {
        const hits = await index.search(queryOf(vector), { exact: true });
        if (this.#isCut) this.#judge(hits, vector, due);
      } finally {
        if (isAnew) await index.close();
      }
    });
  }

  #judge(hits: readonly FoundImage[], vector: Float32Array, due: ReadonlyMap<string, StoredImage>): void {
    this.#told.answers += 1;
    for (const { id } of hits) this.#seen.add(id);
    const isGiven = hits.every(({ id }) => this.#ledger.sent.has(id));
    if (!isGiven || lacks(hits, vector, this.#before)) {
      this.#told.wrong += 1;
      console.log(`wrong: ${hits.map(({ id, score }) => `${id} ${score}`)}`);
    } else if (lacks(hits, vector, due)) this.#told.stale += 1;
  }

  async #timed(kind: 'failedAdds' | 'failedSearches', call: () => Promise<void>): Promise<boolean> {
    const start = performance.now();
    const isDone = await call().then(
      () => true,
      (error: Error) => {
        if (this.#isCut) this.#failed(kind, error);
        return false;
      },
    );
    const took = Math.round((performance.now() - start) / 100) / 10;
    if (this.#isCut) this.#told.longestSeconds = Math.max(this.#told.longestSeconds, took);
    return isDone;
  }

  #failed(kind: 'failedAdds' | 'failedSearches', { message, cause }: Error): void {
    this.#told[kind] += 1;
    const text = `${message} (${cause instanceof Error ? cause.message : ''})`.slice(0, 400);
    const { errors } = this.#told;
    if (!errors.includes(text) && errors.length < 6) errors.push(text);
  }
}

function newTold(): Told {
  return {
    ...{ added: 0, failedAdds: 0, answers: 0, failedSearches: 0, wrong: 0, stale: 0, vanished: 0 },
    ...{ longestSeconds: 0, errors: [] },
  };
}

/** Whether an answer has not all of the nearest that it must have. */
function lacks(
  hits: readonly FoundImage[],
  vector: Float32Array,
  due: ReadonlyMap<string, StoredImage>,
): boolean {
  const last = hits.length < top ? -1 : hits.at(-1)!.score + 1e-5;
  const ids = new Set(hits.map(({ id }) => id));
  return [...due.values()].some((image) => !ids.has(image.id) && dot(image.vector, vector) > last);
}
