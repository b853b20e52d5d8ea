/** An index of images: make it, bring it up to date, search it, and rebuild it for another model. */

import { hash } from 'node:crypto';
import { resolve } from 'node:path';
import { type Clip, type LoadClipOptions, modelFingerprint, precisionOf } from '../clip/index.ts';
import type { Query, Reference } from '../composition/index.ts';
import { call, isId, LincirError, nameKey, option, quoted } from '../core/index.ts';
import { miniature } from '../hub/index.ts';
import {
  type EmbeddingsFile,
  type FetchImageOptions,
  fetchImage,
  indexedBytes,
  isWebAddress,
  type MetadataFile,
} from '../pictures/index.ts';
import {
  type Access,
  type BrokenImage,
  backendOf,
  type ColumnValues,
  formatVersion,
  type KnownImage,
  type MissingImage,
  type Precision,
  type SharedStore,
  type SourceRecord,
  type StoreInfo,
  type StoreStatistics,
  type ValuesOptions,
  type VectorStore,
} from '../store/index.ts';
import { type Annotation, annotate } from './annotate.ts';
import { HeldImages, type StoreReader } from './held-images.ts';
import { type ImportSummary, importEmbeddings } from './import.ts';
import { namedAmong, namedBy, pathsOf } from './names.ts';
import { namedColumns, namedMetadata } from './photo-columns.ts';
import { type FoundImage, type SearchOptions, searchStore } from './search.ts';
import { indexShard, type ShardEvent, type ShardOptions } from './sharding/run.ts';
import { recordsOf } from './sharding/stale.ts';
import { type UpdateEvent, type UpdateOptions, updateIndex } from './update.ts';
import { columnValues } from './values.ts';

export interface OpenIndexOptions {
  /** `write` is for one process at a time, `add` for several. Default: `read`. */
  readonly access?: Access;
  /** Makes an index for this model if there is none and it is opened for writing. */
  readonly clip?: Clip;
  /**
   * How the vectors of a new index are stored; `float16` halves them, and moves scores by some 1e-4. Default: `float32`, or
   * `float16` for a model that encodes images with int8 products.
   */
  readonly precision?: Precision;
  /** Keeps the images of a small index in memory, at most 64 MiB of vectors, for many searches. Default: false. */
  readonly hold?: boolean;
}

/** An image of a query, as the index knows it. */
export interface IndexedReference {
  readonly image: Reference;
  /** SHA-256 of its bytes, in hex. */
  readonly hash: string;
  /** The id, if it is an image of the index. */
  readonly id?: string;
}

/**
 * Opens the index at an address: a path, `lance:PATH`, or in object storage `s3://…`, `gs://…`, `az://…` with the
 * credentials that LanceDB finds in the environment; `opensearch://HOST:PORT/NAME` in a cluster, with those that
 * docs/cluster.md names; `memory:` makes one that ends with the process.
 * @throws LincirError 'not-found' if there is no index, 'bad-argument' for an address of another kind, or for an index
 *   of another model than `clip`, 'bad-file' for one of a newer version, 'io' when another process writes it
 */
export async function openIndex(uri: string, options: OpenIndexOptions = {}): Promise<ImageIndex> {
  const { access = 'read', clip, precision, hold = false } = options;
  const { backend, location } = await backendOf(uri);
  const create = async (error: unknown): Promise<VectorStore> => {
    const isAbsent = error instanceof LincirError && error.code === 'not-found';
    if (!isAbsent || access === 'read' || clip === undefined) throw error;
    return await backend.create(location, infoFor(clip, precision), access);
  };
  const store = await backend.open(location, access).catch(create);
  const index = new ImageIndex(uri, store, hold);
  try {
    if (clip) index.expectModel(clip, precision);
    if (precision !== undefined && precision !== store.info.precision) {
      throw new LincirError('bad-argument', {
        subject: uri,
        expected: `an index of ${precision}`,
        found: `one of ${store.info.precision}`,
        todo: `leave ${option<OpenIndexOptions>('precision')} out, or rebuild: ${clip ? remedyFor(index, clip, precision) : call('reindex', uri, { precision })}`,
      });
    }
    return index;
  } catch (error) {
    await index.close();
    throw error;
  }
}

/** The facts that an index for a model stores about itself. */
export function infoFor(clip: Clip, precision: Precision = storedPrecision(clip)): StoreInfo {
  return {
    version: formatVersion,
    model: nameOf(clip),
    fingerprint: clip.fingerprint,
    dimensions: clip.visionConfig.projection,
    precision,
    targetPad: clip.targetPad,
    created: new Date().toISOString(),
  };
}

/** The name by which the model is found again, on any machine if it has a name. */
function nameOf({ id, folder }: Clip): string {
  return id ?? (resolve(folder) === miniature.folder ? miniature.name : resolve(folder));
}

/** The call that rebuilds an index for a model, with all that differs from what the index has. */
function remedyFor({ uri, info }: ImageIndex, clip: Clip, stored = info.precision): string {
  const [held, given] = [precisionOf(info.fingerprint), precisionOf(clip.fingerprint)];
  const stays = held === given && stored === info.precision;
  return call('reindex', uri, {
    model: nameOf(clip) === info.model ? undefined : nameOf(clip),
    precision: stays ? undefined : held === given ? stored : (given ?? 'float32'),
    targetPad: clip.targetPad === info.targetPad ? undefined : (clip.targetPad ?? undefined),
  });
}

/** Vectors that 8 bits moved need no more than half precision. */
function storedPrecision({ fingerprint }: Clip): Precision {
  return precisionOf(fingerprint) === 'int8' ? 'float16' : 'float32';
}

/** An open index. Close it. If another process replaces the index, as `reindex` does, readers switch to the new one. */
export class ImageIndex {
  readonly uri: string;
  #store: VectorStore;
  readonly #held: HeldImages | undefined;

  /** @internal Use `openIndex`. */
  constructor(uri: string, store: VectorStore, hold = false) {
    this.uri = uri;
    this.#store = store;
    this.#held = hold ? new HeldImages() : undefined;
  }

  get info(): StoreInfo {
    return this.#store.info;
  }

  /** What servers of the index share, if several machines can reach it. */
  get shared(): SharedStore | undefined {
    return this.#store.shared;
  }

  /** Brings it up to date with the named sources; see `updateIndex`. The work is done as you take events. */
  async *add(clip: Clip, options: UpdateOptions): AsyncGenerator<UpdateEvent, void, void> {
    this.expectModel(clip);
    yield* updateIndex(this.#store, clip, options);
  }

  /** Does one worker's share of the work on it; see `indexShard`. Others may add at the same time. */
  async *addShard(clip: Clip, options: ShardOptions): AsyncGenerator<ShardEvent, void, void> {
    this.expectModel(clip);
    yield* indexShard(this.#store, clip, options);
  }

  /** How far workers are with the sources that they share. */
  sources(): AsyncIterable<readonly SourceRecord[]> {
    return this.#store.sources();
  }

  /**
   * Adds ready embeddings, or brings them up to date; see `importEmbeddings`.
   * @param precision `int8` vouches that int8 made those of a file that does not say what made it
   */
  async *addEmbeddings(
    file: EmbeddingsFile,
    signal?: AbortSignal,
    precision?: 'int8',
  ): AsyncGenerator<number, ImportSummary, void> {
    return yield* importEmbeddings(this.#store, file, signal, precision);
  }

  /** Gives images further columns; see `annotate`. */
  async annotate(file: MetadataFile, folders: readonly string[]): Promise<Annotation> {
    return await annotate(this.#store, file, folders);
  }

  /** Takes images out for good, also missing and broken ones, by ids or paths. Their files stay. Returns their number. */
  async remove(names: readonly string[]): Promise<number> {
    const ids = new Set((await this.#store.lookUp('id', names.filter(isId))).map(({ id }) => id));
    const known = await this.#store.lookUp('path', names.flatMap(pathsOf));
    for (const { id } of namedBy(names, known)) ids.add(id);
    await this.#store.remove([...ids]);
    const unread = (await namedAmong(names, this.#store.broken())).map(({ path }) => path);
    await this.#store.removeBroken(unread);
    const away = await namedAmong(names, this.#store.missing());
    const missing = new Set(away.map(({ id }) => id));
    for (const { id } of await this.#store.findMissing('id', names.filter(isId))) missing.add(id);
    const kept = new Set((await this.#store.findMissing('path', unread)).map(({ path }) => path));
    await this.#store.removeMissing([...missing]);
    return new Set([...ids, ...missing]).size + unread.filter((path) => !kept.has(path)).length;
  }

  /** Drops the records of sources with these paths or addresses. Images stay. Returns what had records. */
  async forgetSources(names: readonly string[]): Promise<string[]> {
    const sources = (await recordsOf(this.#store, names.flatMap(pathsOf))).map(({ source }) => source);
    await this.#store.removeSources(sources);
    return sources;
  }

  /** The image with an id or a path. */
  async find(name: string): Promise<KnownImage | undefined> {
    return await this.#searching(async (store) => {
      const [byId] = isId(name) ? await store.find('id', [name]) : [];
      const found = byId ?? namedBy([name], await store.find('path', pathsOf(name)))[0];
      return found && { ...found, metadata: namedMetadata(found.metadata) };
    });
  }

  /** All images with these ids or these contents, in any order. */
  async findAll(column: 'id' | 'hash', values: readonly string[]): Promise<KnownImage[]> {
    const found = await this.#searching((store) => store.find(column, values));
    return found.map((image) => ({ ...image, metadata: namedMetadata(image.metadata) }));
  }

  /** Another text after every change to the images that this reader has noticed. Quick. */
  async version(): Promise<string> {
    return await this.#reading(async (store) => `${store.info.created} ${await store.version()}`);
  }

  /** Whether an image lies in this folder, not counting those further below. */
  async hasFolder(folder: string): Promise<boolean> {
    return await this.#reading(async (store) => {
      const filter = { kind: 'compare', column: 'folder', operator: '=', value: nameKey(folder) } as const;
      return (await store.count(filter)) > 0;
    });
  }

  /**
   * An image for `compose`, from bytes, a file, a shard's member, a web address, or an id or path in the index. It is the
   * embedding that the index has for the same contents, or else the bytes.
   * @throws LincirError 'not-found' for what is none of these, and what `fetchPicture` throws
   */
  async reference(
    name: string | Uint8Array<ArrayBuffer>,
    options: FetchImageOptions = {},
  ): Promise<IndexedReference> {
    const bytes = typeof name === 'string' ? await bytesNamed(name, options) : name;
    if (bytes !== undefined) {
      const digest = hash('sha256', bytes);
      const [same] = await this.#searching((store) => store.find('hash', [digest]));
      const image = typeof name === 'string' ? new File([bytes], name) : bytes; // for errors
      return same ? asReference(same) : { image, hash: digest };
    }
    const known = await this.find(`${name}`);
    if (known) return asReference(known);
    throw new LincirError('not-found', {
      subject: quoted(name),
      expected: 'a file, an address on the web, or the id or path of an image in the index',
      found: 'none of these',
      todo: 'check it',
    });
  }

  /**
   * The images nearest to a query, the nearest first.
   * @throws LincirError 'bad-argument' for a query of another model or without a direction, a filter that cannot be read,
   *   and bad options
   */
  async search(query: Query, options: SearchOptions = {}): Promise<FoundImage[]> {
    return await this.#searching(async (store) => {
      if (query.fingerprint !== this.info.fingerprint) throw this.#otherModel(query);
      return await searchStore(store, query, options);
    });
  }

  /**
   * The values that a column has, by the users' name of the column. Times are texts, as filters take them. Only numbers
   * and times have a least and a greatest value.
   * @throws LincirError 'not-found' for a column that is not there
   */
  async values(column: string, options: ValuesOptions = {}): Promise<ColumnValues> {
    return await this.#reading((store) => columnValues(store, column, options));
  }

  async *broken(): AsyncGenerator<readonly BrokenImage[], void, void> {
    await this.#reading((store) => store.columns()); // checks whether it is still there
    yield* this.#store.broken();
  }

  /** Images that were taken out because they could not be found or read. They can come back. */
  missing(): AsyncIterable<readonly MissingImage[]> {
    return this.#store.missing();
  }

  async statistics(): Promise<StoreStatistics & { readonly columns: ReadonlyMap<string, string> }> {
    return await this.#reading(async (store) => ({
      ...(await store.statistics()),
      columns: namedColumns(await store.columns()),
    }));
  }

  async close(): Promise<void> {
    await this.#held?.close();
    await this.#store.close();
  }

  /**
   * @param stored how vectors shall be stored, for the advice
   * @throws LincirError 'bad-argument' when the index has another model or another padding
   */
  expectModel(clip: Clip, stored?: Precision): void {
    const { fingerprint, targetPad } = this.info;
    if (clip.fingerprint !== fingerprint) throw this.#otherModel(clip, clip, stored);
    if (clip.targetPad === targetPad) return;
    const described = (ratio: number | null) =>
      ratio === null ? 'images without padding' : `padding to ${ratio}`;
    throw new LincirError('bad-argument', {
      subject: this.uri,
      expected: `${described(targetPad)}, as the index was made`,
      found: described(clip.targetPad),
      todo: `use the same ${option<LoadClipOptions>('targetPad')}, or rebuild: ${remedyFor(this, clip, stored)}`,
    });
  }

  /** Reads from memory, if the images are there. */
  #searching<T>(work: (store: StoreReader) => Promise<T>): Promise<T> {
    return this.#reading(async (store) => work((await this.#held?.readerOf(store)) ?? store));
  }

  /** Reads; whenever another index has replaced this one, reads again from that. */
  async #reading<T>(work: (store: VectorStore) => Promise<T>): Promise<T> {
    for (;;) {
      const store = this.#store;
      try {
        return await work(store);
      } catch (error) {
        const isLost = error instanceof LincirError && (error.code === 'io' || error.code === 'not-found');
        if (!isLost || !(await this.#isReplaced(store))) throw error;
      }
    }
  }

  /** Whether another index has replaced the one of `store`. If so, it is open now. */
  async #isReplaced(store: VectorStore): Promise<boolean> {
    if (store !== this.#store) return true;
    const { backend, location } = await backendOf(this.uri);
    const present = await backend.open(location, 'read').catch(() => undefined);
    const isOther = present !== undefined && present.info.created !== store.info.created;
    if (!isOther || store !== this.#store) {
      await present?.close();
      return store !== this.#store;
    }
    this.#store = present;
    await store.close();
    return true;
  }

  /** @param clip the other model, if it is known */
  #otherModel({ fingerprint }: Clip | Query, clip?: Clip, stored?: Precision): LincirError {
    const { model, fingerprint: own } = this.info;
    if (modelFingerprint(own) === modelFingerprint(fingerprint)) {
      const [held, given] = [precisionOf(own), precisionOf(fingerprint)];
      const precision = (value?: string) => option<LoadClipOptions>('precision', value);
      const use = held ? `use ${precision(held)}` : `leave ${precision()} out`;
      return new LincirError('bad-argument', {
        subject: clip ? precision(given) : 'the query',
        expected: `${held ?? 'float32'} embeddings, as the index ${quoted(this.uri, 200)} holds them`,
        found: `${given ?? 'float32'} ones, which must not join them`,
        todo: `${use}, or rebuild: ${clip ? remedyFor(this, clip) : call('reindex', this.uri, { precision: given ?? 'float32' })}`,
      });
    }
    return new LincirError('bad-argument', {
      subject: clip ? nameOf(clip) : 'the query',
      expected: `the model of the index, ${quoted(model, 200)} (fingerprint ${own})`,
      found: `another, of fingerprint ${fingerprint}`,
      todo: `use that model, or rebuild for this one, beside the old one: ${clip ? remedyFor(this, clip, stored) : call('reindex', this.uri)}`,
    });
  }
}

async function bytesNamed(
  name: string,
  options: FetchImageOptions,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (isWebAddress(name)) return await fetchImage(name, options);
  return await indexedBytes(name).catch((error: unknown) => {
    if (error instanceof LincirError && error.code === 'not-found') return undefined;
    throw error;
  });
}

function asReference(picture: KnownImage): IndexedReference {
  return { image: picture, hash: picture.hash, id: picture.id };
}
