/** What goes on while nodes are killed: ingest, search and annotate, each with an index of its own. */

import { type ImageIndex, openIndex } from '../../src/indexing/index.ts';
import { backendOf, type StoredImage, type VectorStore } from '../../src/store/index.ts';
import { compare, dot, exactAnswer, fault, madeImage, newInfo, queryOf } from './data.ts';

/** What a check has found after a round. */
export interface Findings {
  /** Images, annotations, answers or swaps since the round began. */
  readonly acknowledged: number;
  readonly lost: readonly string[];
  readonly doubled: readonly string[];
}

export interface Activity {
  /** The index's name. */
  readonly name: string;
  /** Makes what is not there yet, while all nodes run. */
  begin(round: number): Promise<void>;
  /** Something that is acknowledged when it returns. After an error, it is repeated. */
  step?(): Promise<void>;
  /** Asks and returns what is wrong with the answer; undefined if nothing is. */
  search(): Promise<string | undefined>;
  /** While all nodes run again. */
  end(): Promise<Findings>;
}

/** Gives the address of an index. */
export type Addresses = (name: string) => string;

/** Opens an index that `images` are in, for whoever adds. */
async function made(uri: string, images: readonly StoredImage[]): Promise<VectorStore> {
  const { backend, location } = await backendOf(uri);
  const store = await backend.create(location, newInfo(), 'add');
  await store.annotate(new Map([['even', 'boolean']]), []);
  await store.add(images);
  await store.commit();
  return store;
}

async function reader(uri: string): Promise<VectorStore> {
  const { backend, location } = await backendOf(uri);
  return await backend.open(location, 'read');
}

/** Most searches go through an index that stays open. Some open it anew, as a command does. */
class Reader {
  readonly #uri: string;
  #kept: ImageIndex | undefined;
  #searches = 0;

  constructor(uri: string) {
    this.#uri = uri;
  }

  async use<T>(work: (index: ImageIndex) => Promise<T>): Promise<T> {
    this.#searches += 1;
    if (this.#searches % 5 !== 0) {
      this.#kept ??= await openIndex(this.#uri);
      return await work(this.#kept);
    }
    const index = await openIndex(this.#uri);
    try {
      return await work(index);
    } finally {
      await index.close();
    }
  }

  async close(): Promise<void> {
    await this.#kept?.close();
    this.#kept = undefined;
  }
}

/** Queries with exact answers among some images. */
function examples(images: readonly StoredImage[], count: number, from: number) {
  return Array.from({ length: count }, (_, at) => {
    const { vector } = madeImage('query', from + at);
    return { vector, expected: exactAnswer(images, vector) };
  }).flatMap(({ vector, expected }) => (expected ? [{ vector, expected }] : []));
}

/** Adds images, 50 a call, to a new index in every round. */
export class Ingest implements Activity {
  readonly name = 'kills-ingest';
  readonly #address: Addresses;
  readonly #calm = Array.from({ length: 400 }, (_, at) =>
    madeImage(`calm-${at}`, at, { even: at % 2 === 0 }),
  );
  readonly #examples = examples(this.#calm, 40, 900_000);
  readonly #delete: (name: string) => Promise<void>;
  #acknowledged = new Map<string, StoredImage>();
  /** Those that other readers must find. */
  #committed: StoredImage[] = [];
  #batch: StoredImage[] = [];
  #store: VectorStore | undefined;
  #reader: Reader | undefined;
  #made = 0;
  #searches = 0;

  constructor(address: Addresses, deleteIndex: (name: string) => Promise<void>) {
    this.#address = address;
    this.#delete = deleteIndex;
  }

  async begin(): Promise<void> {
    await this.#delete(this.name);
    this.#store = await made(this.#address(this.name), this.#calm);
    this.#reader = new Reader(this.#address(this.name));
    this.#acknowledged = new Map(this.#calm.map((image) => [image.id, image]));
    [this.#committed, this.#batch] = [[], []];
  }

  async step(): Promise<void> {
    if (this.#batch.length === 0) {
      this.#batch = Array.from({ length: 50 }, () => {
        this.#made += 1;
        return madeImage(`new-${this.#made}`, 1000 + this.#made, { even: this.#made % 2 === 0 });
      });
    }
    await this.#store!.add(this.#batch);
    for (const image of this.#batch) this.#acknowledged.set(image.id, image);
    await this.#store!.commit();
    this.#committed.push(...this.#batch);
    this.#batch = [];
  }

  async search(): Promise<string | undefined> {
    this.#searches += 1;
    const exact = this.#searches % 2 === 0;
    const last = this.#committed.at(-1 - (this.#searches % 20));
    if (last && this.#searches % 4 > 1) {
      const [hit] = await this.#reader!.use((index) => index.search(queryOf(last.vector), { top: 1, exact }));
      const isFound = hit?.id === last.id && Math.abs(hit.score - 1) < 1e-5;
      return isFound ? undefined : `committed ${last.id}, found ${hit?.id ?? 'nothing'}`;
    }
    const { vector, expected } = this.#examples[this.#searches % this.#examples.length]!;
    const where = "folder = '/photos/calm'";
    return fault(
      await this.#reader!.use((index) => index.search(queryOf(vector), { where, exact })),
      expected,
    );
  }

  async end(): Promise<Findings> {
    await this.#store!.close();
    await this.#reader!.close();
    const open = new Set(this.#batch.map(({ id }) => id));
    const store = await reader(this.#address(this.name));
    const found = await compare(store, this.#acknowledged, (id) => open.has(id));
    await store.close();
    return { acknowledged: this.#acknowledged.size - this.#calm.length, ...found };
  }
}

/** Searches an index that does not change, and reads images from it. */
export class Search implements Activity {
  readonly name = 'kills-search';
  readonly #address: Addresses;
  readonly #images = Array.from({ length: 2000 }, (_, at) =>
    madeImage(`still-${at}`, at, { even: at % 2 === 0 }),
  );
  readonly #all = examples(this.#images, 60, 910_000);
  readonly #even = examples(
    this.#images.filter((_, at) => at % 2 === 0),
    60,
    920_000,
  );
  #reader: Reader | undefined;
  #answers = 0;
  #searches = 0;

  constructor(address: Addresses) {
    this.#address = address;
  }

  async begin(round: number): Promise<void> {
    if (round === 0) await (await made(this.#address(this.name), this.#images)).close();
    this.#reader = new Reader(this.#address(this.name));
    this.#answers = 0;
  }

  async search(): Promise<string | undefined> {
    this.#searches += 1;
    const exact = this.#searches % 2 === 0;
    const wrong = this.#searches % 7 === 0 ? await this.#find() : await this.#rank(exact);
    this.#answers += 1;
    return wrong;
  }

  async #rank(exact: boolean): Promise<string | undefined> {
    const isFiltered = this.#searches % 3 === 0;
    const some = isFiltered ? this.#even : this.#all;
    const { vector, expected } = some[this.#searches % some.length]!;
    const where = isFiltered ? 'even' : undefined;
    return fault(
      await this.#reader!.use((index) =>
        index.search(queryOf(vector), { exact, where: where && `${where} = true` }),
      ),
      expected,
    );
  }

  async #find(): Promise<string | undefined> {
    const image = this.#images[this.#searches % this.#images.length]!;
    const found = await this.#reader!.use((index) => index.find(image.path));
    const isSame = found?.id === image.id && dot(found.vector, image.vector) > 0.999_999;
    return isSame ? undefined : `asked for ${image.path}, found ${found?.path ?? 'nothing'}`;
  }

  async end(): Promise<Findings> {
    await this.#reader!.close();
    const store = await reader(this.#address(this.name));
    const found = await compare(store, new Map(this.#images.map((image) => [image.id, image])));
    await store.close();
    return { acknowledged: this.#answers, ...found };
  }
}

/** Gives 50 images a new rating at each call, and a new column in every round. */
export class Annotate implements Activity {
  readonly name = 'kills-annotate';
  readonly #address: Addresses;
  readonly #images = new Map(
    Array.from({ length: 1500 }, (_, at) => [
      `kept-${at}`,
      madeImage(`kept-${at}`, at, { even: at % 2 === 0 }),
    ]),
  );
  readonly #examples = examples(
    [...this.#images.values()].filter((_, at) => at % 2 === 0),
    60,
    930_000,
  );
  /** Ratings that other readers must find, or later ones. */
  readonly #committed = new Map<string, number>();
  #store: VectorStore | undefined;
  #reader: Reader | undefined;
  #column = '';
  #rating = 0;
  #acknowledged = 0;
  #searches = 0;

  constructor(address: Addresses) {
    this.#address = address;
  }

  async begin(round: number): Promise<void> {
    const uri = this.#address(this.name);
    if (round === 0) await (await made(uri, [...this.#images.values()])).close();
    const { backend, location } = await backendOf(uri);
    this.#store = await backend.open(location, 'write');
    this.#reader = new Reader(uri);
    this.#column = `round${round}`;
    this.#acknowledged = 0;
  }

  /** A failed call may be done in part. So what it gave is repeated before anything else. */
  async step(): Promise<void> {
    this.#rating += this.#isRepeated ? 0 : 1;
    this.#isRepeated = true;
    const values = { rating: this.#rating, [this.#column]: `value ${this.#rating}` };
    const ids = Array.from({ length: 50 }, (_, at) => `kept-${(this.#rating * 31 + at * 29) % 1500}`);
    const columns = new Map([['rating', 'number'] as const, [this.#column, 'string'] as const]);
    await this.#store!.annotate(
      columns,
      ids.map((id) => ({ id, values })),
    );
    for (const id of ids) {
      const image = this.#images.get(id)!;
      this.#images.set(id, { ...image, metadata: { ...image.metadata, ...values } });
    }
    this.#acknowledged += ids.length;
    await this.#store!.commit();
    for (const id of ids) this.#committed.set(id, this.#rating);
    this.#isRepeated = false;
  }
  #isRepeated = false;

  async search(): Promise<string | undefined> {
    this.#searches += 1;
    const { vector, expected } = this.#examples[this.#searches % this.#examples.length]!;
    const before = new Map(this.#committed);
    const exact = this.#searches % 2 === 0;
    const hits = await this.#reader!.use((index) =>
      index.search(queryOf(vector), { where: 'even = true', exact }),
    );
    const old = hits.find(({ id, metadata }) => Number(metadata.rating ?? 0) < (before.get(id) ?? 0));
    if (old) return `rating ${old.metadata.rating} of ${old.id}, committed ${before.get(old.id)}`;
    return fault(hits, expected);
  }

  async end(): Promise<Findings> {
    // Ends what is half done: its values may be there, and nobody acknowledged them.
    if (this.#isRepeated) await this.step();
    await this.#store!.close();
    await this.#reader!.close();
    const store = await reader(this.#address(this.name));
    const found = await compare(store, this.#images);
    await store.close();
    return { acknowledged: this.#acknowledged, ...found };
  }
}
