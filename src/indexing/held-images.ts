/** The images of a small index in memory, for whoever searches it often: exact, many queries in one product of matrices. */

import { setImmediate as otherWork } from 'node:timers/promises';
import { chunks, LincirError } from '../core/index.ts';
import { gemm, input, Session } from '../onnx/index.ts';
import type { Hit, KnownImage, VectorStore } from '../store/index.ts';

/** What searches need of a store. */
export type StoreReader = Pick<VectorStore, 'info' | 'columns' | 'find' | 'search'>;

/** Numbers of all vectors, 64 MiB. So many are compared in milliseconds. */
const mostNumbers = 2 ** 24;
/** Images in one lookup. Turning them into objects blocks the thread. */
const imagesPerLookup = 500;
/** Queries in one product. It blocks the thread. */
const queriesPerRun = 32;

/** Reads the images of a store in the background when they are asked for, and again after they have changed. */
export class HeldImages {
  /** Milliseconds without a change before images are read again: an index that is being written changes all the time. */
  readonly #calm: number;
  #held: Images | undefined;
  #reading: Promise<void> | undefined;
  /** The last version that was seen, and since when. */
  #seen: { readonly store: VectorStore; readonly version: number; readonly since: number } | undefined;
  /** Whether the version that was seen is too large or cannot be read. */
  #isHopeless = false;
  #isClosed = false;

  constructor(calm = 10_000) {
    this.#calm = calm;
  }

  /** The store's images if they are in memory as the store has them now, else the store. */
  async readerOf(store: VectorStore): Promise<StoreReader> {
    const version = await store.version();
    if (this.#held?.isOf(store, version)) return this.#held;
    const now = performance.now();
    if (this.#seen?.store !== store || this.#seen.version !== version) {
      const isFirst = this.#seen === undefined;
      this.#seen = { store, version, since: isFirst ? -Infinity : now };
      this.#isHopeless = false;
    }
    const isDue = !this.#isHopeless && now - this.#seen.since >= this.#calm;
    if (isDue && !this.#isClosed) this.#reading ??= this.#read(store, version);
    return store;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#reading;
    await this.#held?.dispose();
  }

  /** Never throws: who asks the store itself hears what is wrong with it. */
  async #read(store: VectorStore, version: number): Promise<void> {
    try {
      const images = await Images.read(store, version);
      this.#isHopeless = images === undefined;
      const old = this.#held;
      this.#held = images;
      await old?.dispose();
    } catch (error) {
      if (!(error instanceof LincirError)) throw error;
      this.#isHopeless = true;
    } finally {
      this.#reading = undefined;
    }
  }
}

interface Waiting {
  readonly vector: Float32Array;
  readonly limit: number;
  readonly resolve: (hits: Hit[]) => void;
  readonly reject: (reason: unknown) => void;
}

/** All images of one version of a store. */
class Images implements StoreReader {
  readonly #store: VectorStore;
  readonly #version: number;
  /** In the order of their ids. */
  readonly #images: readonly KnownImage[];
  readonly #places: Readonly<Record<'id' | 'hash', ReadonlyMap<string, readonly number[]>>>;
  readonly #vectors: Float32Array; // [images, dimensions]
  readonly #one: Session;
  readonly #many: Session;
  readonly #waiting: Waiting[] = [];
  #answering: Promise<void> | undefined;
  #isDisposed = false;

  private constructor(
    store: VectorStore,
    version: number,
    images: readonly KnownImage[],
    vectors: Float32Array,
    [one, many]: readonly [Session, Session],
  ) {
    this.#store = store;
    this.#version = version;
    this.#images = images;
    this.#places = { id: placesBy(images, 'id'), hash: placesBy(images, 'hash') };
    this.#vectors = vectors;
    this.#one = one;
    this.#many = many;
  }

  /** Undefined if there are too many, or if they change meanwhile. */
  static async read(store: VectorStore, version: number): Promise<Images | undefined> {
    const { dimensions } = store.info;
    const count = await store.count();
    if (count === 0 || count * dimensions > mostNumbers) return undefined;
    const ids: string[] = [];
    for await (const images of store.images()) ids.push(...images.map(({ id }) => id));
    const images: KnownImage[] = [];
    for await (const some of chunks(ids, imagesPerLookup)) {
      images.push(...(await store.find('id', some)));
      await otherWork();
    }
    if (images.length !== count || (await store.version()) !== version) return undefined;
    images.sort((a, b) => (a.id < b.id ? -1 : 1));
    const vectors = new Float32Array(count * dimensions);
    const held = images.map((image, row) => {
      vectors.set(image.vector, row * dimensions);
      return { ...image, vector: vectors.subarray(row * dimensions, (row + 1) * dimensions) };
    });
    return new Images(store, version, held, vectors, await products(dimensions));
  }

  get info() {
    return this.#store.info;
  }

  isOf(store: VectorStore, version: number): boolean {
    return this.#store === store && this.#version === version;
  }

  columns(): ReturnType<VectorStore['columns']> {
    return this.#store.columns();
  }

  async find(column: 'id' | 'path' | 'hash', values: readonly string[]): Promise<KnownImage[]> {
    if (column === 'path') return await this.#store.find(column, values); // it knows which paths are the same
    const places = new Set(values.flatMap((value) => this.#places[column].get(value) ?? []));
    // Copies, since their receivers may give them away.
    return [...places].map((place) => {
      const image = this.#images[place]!;
      return { ...image, vector: image.vector.slice() };
    });
  }

  async search(query: Parameters<VectorStore['search']>[0]): Promise<Hit[]> {
    const { vector, limit, filter } = query;
    if (filter || this.#isDisposed) return await this.#store.search(query);
    const hits = new Promise<Hit[]>((resolve, reject) => {
      this.#waiting.push({ vector, limit, resolve, reject });
    });
    this.#answering ??= this.#answerAll();
    return await hits;
  }

  /** Whoever still has it then reads from the store. */
  async dispose(): Promise<void> {
    this.#isDisposed = true;
    await this.#answering;
    await this.#one.dispose();
    await this.#many.dispose();
  }

  async #answerAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      await otherWork(); // in which more queries come
      const queries = this.#waiting.splice(0, queriesPerRun);
      try {
        const scores = await this.#scores(queries);
        for (const [query, { limit, resolve }] of queries.entries()) {
          resolve(this.#hits(scores, query, queries.length, limit));
        }
      } catch (error) {
        for (const { reject } of queries) reject(error);
      }
    }
    this.#answering = undefined;
  }

  /** [images, queries] */
  async #scores(queries: readonly Waiting[]): Promise<Float32Array> {
    const { dimensions } = this.info;
    const data = new Float32Array(queries.length * dimensions);
    for (const [query, { vector }] of queries.entries()) data.set(vector, query * dimensions);
    const product = queries.length === 1 ? this.#one : this.#many;
    const { scores } = await product.run<'scores'>({
      queries: { shape: [queries.length, dimensions], data },
      vectors: { shape: [this.#images.length, dimensions], data: this.#vectors },
    });
    return scores.data;
  }

  #hits(scores: Float32Array, query: number, queries: number, limit: number): Hit[] {
    const scoreOf = (row: number) => scores[row * queries + query]!;
    return nearest(this.#images.length, scoreOf, limit).map((row) => {
      const { id, path, folder, hash, metadata } = this.#images[row]!;
      return { id, path, folder, hash, score: scoreOf(row), metadata };
    });
  }
}

/** Scores of one query, [1, images], and of several, [images, queries]: each is the faster one. */
async function products(dimensions: number): Promise<[Session, Session]> {
  const queries = input('queries', 'float32', ['queries', dimensions]);
  const vectors = input('vectors', 'float32', ['images', dimensions]);
  // Encoders need the other cores.
  const options = { threads: 1 };
  return [
    await Session.create({ scores: gemm(queries, vectors, { transB: true }) }, options),
    await Session.create({ scores: gemm(vectors, queries, { transB: true }) }, options),
  ];
}

/** The rows with the greatest scores, the greatest first, and equal ones in their order. */
function nearest(count: number, scoreOf: (row: number) => number, limit: number): number[] {
  const rows: number[] = [];
  let least = -Infinity;
  const cut = () => {
    rows.sort((a, b) => scoreOf(b) - scoreOf(a) || a - b);
    rows.length = Math.min(rows.length, limit);
    if (rows.length === limit) least = scoreOf(rows.at(-1)!);
  };
  for (let row = 0; row < count; row += 1) {
    if (scoreOf(row) <= least) continue;
    rows.push(row);
    if (rows.length >= 4 * limit) cut();
  }
  cut();
  return rows;
}

function placesBy(images: readonly KnownImage[], column: 'id' | 'hash'): Map<string, number[]> {
  const places = new Map<string, number[]>();
  for (const [place, image] of images.entries()) {
    const known = places.get(image[column]);
    if (known) known.push(place);
    else places.set(image[column], [place]);
  }
  return places;
}
