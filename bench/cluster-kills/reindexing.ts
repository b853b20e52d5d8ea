/** Rebuilds an index again and again, with and without padding, while searches must see one of the two as a whole. */

import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clip, loadClip } from '../../src/clip/index.ts';
import { type FoundImage, type ImageIndex, openIndex, reindex } from '../../src/indexing/index.ts';
import { backendOf, type KnownImage, type StoredImage } from '../../src/store/index.ts';
import { writePicture } from '../../test/pictures.ts';
import type { Activity, Addresses, Findings } from './activities.ts';
import { compare, exactAnswer, fault, madeImage, queryOf } from './data.ts';

const model = join(import.meta.dirname, '../../test/fixtures/tiny-clip');
const pictures = 90;
const paddings = [undefined, 1.02] as const;

/** One of the two: its images, and queries with their answers. */
interface Generation {
  readonly clip: Clip;
  readonly images: ReadonlyMap<string, StoredImage>;
  readonly examples: readonly {
    readonly vector: Float32Array;
    readonly expected: NonNullable<ReturnType<typeof exactAnswer>>;
  }[];
}

export class Reindexing implements Activity {
  readonly name = 'kills-reindex';
  readonly #uri: string;
  readonly #indexesOf: (name: string) => Promise<readonly string[]>;
  #folder = '';
  #generations: readonly Generation[] = [];
  #reader: ImageIndex | undefined;
  /** Which is published, and which is on its way. */
  #current = 0;
  #next: number | undefined;
  #swaps = 0;
  #searches = 0;

  /** @param indexesOf the cluster's indexes with images whose names begin so */
  constructor(address: Addresses, indexesOf: (name: string) => Promise<readonly string[]>) {
    this.#uri = address(this.name);
    this.#indexesOf = indexesOf;
  }

  async begin(round: number): Promise<void> {
    if (round === 0) await this.#prepare();
    this.#reader = await openIndex(this.#uri);
    this.#swaps = 0;
  }

  async step(): Promise<void> {
    this.#next ??= 1 - this.#current;
    const { clip } = this.#generations[this.#next]!;
    for await (const _ of reindex(this.#uri, clip));
    this.#current = this.#next;
    this.#next = undefined;
    this.#swaps += 1;
  }

  async search(): Promise<string | undefined> {
    this.#searches += 1;
    const number = this.#searches;
    const allowed = new Set([this.#current, this.#next]);
    const { examples, clip } = this.#generations[0]!;
    const at = number % examples.length;
    const query = queryOf(examples[at]!.vector, clip.fingerprint);
    const options = { exact: number % 2 === 0 };
    const hits =
      number % 5 === 0 ? await anew(this.#uri, query, options) : await this.#reader!.search(query, options);
    allowed.add(this.#current).add(this.#next);
    const faults = [...allowed].flatMap((generation) =>
      generation === undefined ? [] : [fault(hits, this.#generations[generation]!.examples[at]!.expected)],
    );
    if (!faults.includes(undefined)) return faults.join('; or ');
    const bare = hits.find(({ path, metadata }) => metadata.number !== numberOf(path));
    return bare && `number ${bare.metadata.number} of ${bare.path}`;
  }

  async end(): Promise<Findings> {
    await this.#reader!.close();
    // Ends a rebuild that is half done.
    if (this.#next !== undefined) await this.step();
    const { backend, location } = await backendOf(this.#uri);
    const store = await backend.open(location, 'read');
    const { lost, doubled } = await compare(store, this.#generations[this.#current]!.images);
    await store.close();
    const generations = await this.#indexesOf(this.name);
    const left = generations.length === 1 ? [] : [`indexes ${generations.join()}`];
    return { acknowledged: this.#swaps, lost, doubled: [...doubled, ...left] };
  }

  async close(): Promise<void> {
    for (const { clip } of this.#generations) await clip.dispose();
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** Both generations in memory tell what is right. */
  async #prepare(): Promise<void> {
    this.#folder = await mkdtemp(join(tmpdir(), 'lincir-reindexing-'));
    const photos = join(this.#folder, 'photos');
    await mkdir(photos);
    for (let at = 0; at < pictures; at += 1) await writePicture(join(photos, `${at}.png`), at);
    const both: { clip: Clip; images: Map<string, StoredImage> }[] = [];
    for (const targetPad of paddings) {
      const clip = await loadClip(model, { targetPad });
      const index = await openIndex('memory:', { access: 'write', clip });
      for await (const _ of index.add(clip, { images: [photos] }));
      const images = new Map<string, StoredImage>();
      for (let at = 0; at < pictures; at += 1) {
        const { metadata: _, ...image } = (await index.find(join(photos, `${at}.png`))) as KnownImage;
        images.set(image.id, { ...image, metadata: { number: numberOf(image.path) } });
      }
      await index.close();
      both.push({ clip, images });
    }
    const dimensions = both[0]!.clip.visionConfig.projection;
    const vectors = Array.from(
      { length: 40 },
      (_, at) => madeImage('query', 940_000 + at, undefined, dimensions).vector,
    );
    const answers = both.map(({ images }) =>
      vectors.map((vector) => exactAnswer([...images.values()], vector)),
    );
    const clear = vectors.flatMap((_, at) => (answers.every((all) => all[at]) ? [at] : []));
    this.#generations = both.map((one, which) => ({
      ...one,
      examples: clear.map((at) => ({ vector: vectors[at]!, expected: answers[which]![at]! })),
    }));
    const { clip, images } = this.#generations[0]!;
    const index = await openIndex(this.#uri, { access: 'write', clip });
    for await (const _ of index.add(clip, { images: [photos] }));
    await index.close();
    const { backend, location } = await backendOf(this.#uri);
    const store = await backend.open(location, 'write');
    const rows = [...images.values()].map(({ id, metadata }) => ({ id, values: metadata! }));
    await store.annotate(new Map([['number', 'number']]), rows);
    await store.close();
  }
}

async function anew(uri: string, query: ReturnType<typeof queryOf>, options: object): Promise<FoundImage[]> {
  const index = await openIndex(uri);
  try {
    return await index.search(query, options);
  } finally {
    await index.close();
  }
}

function numberOf(path: string): number {
  return Number(/(\d+)\.png$/.exec(path)![1]);
}
