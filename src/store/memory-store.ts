/** An exact vector store in memory: for programs that need no file, and as a reference for other stores. */

import { LincirError, nameKey } from '../core/index.ts';
import { type Columns, type ColumnType, type Filter, withComparedNames } from './filter/filter.ts';
import { filterPredicate } from './filter/predicate.ts';
import {
  type BrokenImage,
  type Facts,
  filterColumns,
  type Hit,
  type IndexedImage,
  type KnownImage,
  type Metadata,
  type MissingImage,
  pictureOf,
  type SourceRecord,
  type StoredImage,
  type StoreInfo,
  type StoreQuery,
  type StoreStatistics,
  type VectorStore,
} from './store.ts';
import { type ColumnValues, countValues, prefixFilter, type ValuesOptions } from './values.ts';

export class MemoryStore implements VectorStore {
  readonly info: StoreInfo;
  readonly #rows = new Map<string, KnownImage>();
  readonly #broken = new Map<string, BrokenImage>();
  readonly #missing = new Map<string, MissingImage>();
  readonly #sources = new Map<string, SourceRecord>();
  readonly #added = new Map<string, ColumnType>();
  #changes = 0;

  constructor(info: StoreInfo) {
    this.info = info;
  }

  async version(): Promise<number> {
    return this.#changes;
  }

  async columns(): Promise<Columns> {
    return new Map([...filterColumns, ...this.#added]);
  }

  async *images(): AsyncGenerator<readonly IndexedImage[], void, void> {
    yield [...this.#rows.values()].map(pictureOf);
  }

  async find(
    column: 'id' | 'path' | 'hash',
    values: readonly string[],
    most?: number,
  ): Promise<KnownImage[]> {
    const wanted = new Set(values.map(nameKey));
    const found = [...this.#rows.values()].filter((row) => wanted.has(nameKey(row[column])));
    return found.slice(0, most).map((row) => ({ ...row, metadata: this.#metadataOf(row) }));
  }

  async lookUp(column: 'id' | 'path', values: readonly string[]): Promise<IndexedImage[]> {
    return (await this.find(column, values)).map(pictureOf);
  }

  async count(filter?: Filter): Promise<number> {
    return [...this.#matching(filter)].length;
  }

  async values(column: string, options: ValuesOptions = {}): Promise<ColumnValues> {
    const filter = prefixFilter(column, await this.columns(), options.prefix);
    const values = [...this.#matching(filter)].map((row) => {
      const cells: Metadata = { ...pictureOf(row), ...this.#metadataOf(row) };
      return cells[column] ?? null;
    });
    return await countValues([values], options, filter !== undefined);
  }

  async add(pictures: readonly StoredImage[]): Promise<void> {
    this.#changes += 1;
    for (const picture of pictures) {
      const metadata = { ...this.#rows.get(picture.id)?.metadata, ...picture.metadata };
      this.#rows.set(picture.id, { ...picture, metadata });
    }
  }

  async replace(pictures: readonly StoredImage[]): Promise<void> {
    this.#changes += 1;
    for (const picture of pictures) {
      const known = this.#rows.get(picture.id);
      const metadata = { ...known?.metadata, ...picture.metadata };
      if (known) this.#rows.set(picture.id, { ...picture, metadata });
    }
  }

  async move(facts: readonly Facts[]): Promise<void> {
    this.#changes += 1;
    for (const fact of facts) {
      const known = this.#rows.get(fact.id);
      const metadata = { ...known?.metadata, ...fact.metadata };
      if (known) this.#rows.set(fact.id, { ...known, ...fact, metadata });
    }
  }

  async annotate(
    columns: ReadonlyMap<string, ColumnType>,
    rows: readonly { readonly id: string; readonly values: Metadata }[],
  ): Promise<void> {
    this.#changes += 1;
    for (const [name, type] of columns) {
      const known = this.#added.get(name) ?? type;
      if (known !== type) throw otherType(name, known, type);
      this.#added.set(name, type);
    }
    for (const { id, values } of rows) {
      const known = this.#rows.get(id);
      if (known) this.#rows.set(id, { ...known, metadata: { ...known.metadata, ...values } });
    }
  }

  async remove(ids: readonly string[]): Promise<void> {
    this.#changes += 1;
    for (const id of ids) this.#rows.delete(id);
  }

  async *broken(): AsyncGenerator<readonly BrokenImage[], void, void> {
    yield [...this.#broken.values()];
  }

  async addBroken(pictures: readonly BrokenImage[]): Promise<void> {
    for (const picture of pictures) this.#broken.set(picture.path, picture);
  }

  async removeBroken(paths: readonly string[]): Promise<void> {
    for (const path of paths) this.#broken.delete(path);
  }

  async *missing(): AsyncGenerator<readonly MissingImage[], void, void> {
    yield [...this.#missing.values()];
  }

  async findMissing(column: 'id' | 'path' | 'hash', values: readonly string[]): Promise<MissingImage[]> {
    const wanted = new Set(values);
    return [...this.#missing.values()].filter((picture) => wanted.has(picture[column]));
  }

  async addMissing(pictures: readonly MissingImage[]): Promise<void> {
    for (const picture of pictures) this.#missing.set(picture.id, picture);
  }

  async removeMissing(ids: readonly string[]): Promise<void> {
    for (const id of ids) this.#missing.delete(id);
  }

  async *sources(): AsyncGenerator<readonly SourceRecord[], void, void> {
    yield [...this.#sources.values()];
  }

  async findSources(names: readonly string[]): Promise<SourceRecord[]> {
    return names.flatMap((name) => this.#sources.get(name) ?? []);
  }

  async recordSources(records: readonly SourceRecord[]): Promise<void> {
    for (const record of records) this.#sources.set(record.source, record);
  }

  async removeSources(names: readonly string[]): Promise<void> {
    for (const name of names) this.#sources.delete(name);
  }

  async search({ vector, limit, filter }: StoreQuery): Promise<Hit[]> {
    const scored = [...this.#matching(filter)].map((row) => ({ row, score: dot(row.vector, vector) }));
    return scored
      .sort((a, b) => b.score - a.score || (a.row.id < b.row.id ? -1 : 1))
      .slice(0, limit)
      .map(({ row, score }) => {
        const { id, path, folder, hash } = row;
        return { id, path, folder, hash, score, metadata: this.#metadataOf(row) };
      });
  }

  async commit(): Promise<void> {}

  async maintain(): Promise<void> {}

  async statistics(): Promise<StoreStatistics> {
    const bytes = this.#rows.size * this.info.dimensions * Float32Array.BYTES_PER_ELEMENT;
    const counts = { images: this.#rows.size, broken: this.#broken.size, missing: this.#missing.size };
    return { ...counts, bytes, approximate: undefined };
  }

  async close(): Promise<void> {}

  *#matching(filter: Filter | undefined): Generator<KnownImage, void, void> {
    const passes = filter && filterPredicate(withComparedNames(filter));
    for (const row of this.#rows.values()) {
      const [path, folder] = [nameKey(row.path), nameKey(row.folder)];
      if (passes?.({ ...pictureOf(row), path, folder, ...this.#metadataOf(row) }) ?? true) yield row;
    }
  }

  #metadataOf({ metadata }: KnownImage): Metadata {
    return Object.fromEntries([...this.#added.keys()].map((name) => [name, metadata[name] ?? null]));
  }
}

/** A column keeps its first type. */
export function otherType(name: string, known: ColumnType, given: ColumnType): LincirError {
  return new LincirError('bad-argument', {
    subject: `metadata column "${name}"`,
    expected: `a ${known}, as in the index`,
    found: `a ${given}`,
    todo: 'give the column another name',
  });
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let at = 0; at < a.length; at += 1) sum += a[at]! * b[at]!;
  return sum;
}
