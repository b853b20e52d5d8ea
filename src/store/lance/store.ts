/** A vector store on LanceDB: durable, versioned, on disk or in object storage. */

import { posix } from 'node:path';
import { Index, type Table } from '@lancedb/lancedb';
import { chunks } from '../../core/index.ts';
import type { Columns, ColumnType, Filter } from '../filter/filter.ts';
import { otherType } from '../memory-store.ts';
import {
  comparedNames,
  type Facts,
  filterColumns,
  type Hit,
  type IndexedImage,
  type KnownImage,
  type Metadata,
  pictureOf,
  type StoredImage,
  type StoreInfo,
  type StoreQuery,
  type StoreStatistics,
  type VectorStore,
} from '../store.ts';
import { type ColumnValues, countValues, prefixFilter, type ValuesOptions } from '../values.ts';
import { fieldsOf, presentColumns } from './fields.ts';
import { namesSql } from './names.ts';
import { LanceNotes, type LanceParts, type LaterTable, laterTables, valuesPerLookup } from './notes.ts';
import {
  cellsOf,
  imageNames,
  imageScalars,
  metadataColumns,
  rowsOf,
  sqlTypes,
  tableOf,
  vectors,
} from './rows.ts';

/**
 * The approximate index is IVF with RaBitQ codes (Gao and Long, SIGMOD 2024) of 4 bits a dimension. It pays from this many
 * images on: comparing 10,000 vectors of 768 one by one takes 40 ms, with the index 6.
 */
const picturesForIndex = 10_000;
const bitsPerDimension = 4;
const picturesPerPartition = 4096;
/** An index is rebuilt when the images have grown by this factor since it was built, or when it has so many parts. */
const growthLimit = 2;
const partLimit = 10;
/** Every update of an index adds a part. So fewer new images than this are compared one by one. */
const pictureLimit = 2000;
/** Every call that adds images makes a fragment. More than so many are compacted. */
const fragmentLimit = 20;
/**
 * Partitions to search: enough for queries far from all images, such as texts; a part of large tables. With a filter, all.
 */
const fewestProbes = 100;
const probedPart = 0.1;
const allProbes = 1_000_000;
/** Candidates by codes to compare exactly: so many times the hits, and at least so many. */
const refinement = 2;
const fewestCandidates = 100;
/** Old versions are kept so long, for readers that still use them. */
const versionLifetime = 600_000;
/** Of rows without vectors, so many are looked up at once: each look goes through what is not in the index of ids. */
const valuesPerLook = 10_000;
const indexName = /^vector-(\d+)$/;

export class LanceStore extends LanceNotes implements VectorStore {
  readonly info: StoreInfo;
  readonly #parts: LanceParts;

  constructor(parts: LanceParts) {
    super(parts);
    this.info = parts.info;
    this.#parts = parts;
  }

  version(): Promise<number> {
    return this.reading(() => this.#parts.pictures.version());
  }

  columns(): Promise<Columns> {
    return this.reading(async () => new Map([...filterColumns, ...(await this.#added())]));
  }

  async *images(): AsyncGenerator<readonly IndexedImage[], void, void> {
    const own = await presentColumns(this.#parts.pictures, imageNames);
    for await (const rows of this.rows<IndexedImage>(this.#parts.pictures, own)) yield rows.map(pictureOf);
  }

  find(column: 'id' | 'path' | 'hash', values: readonly string[], most?: number): Promise<KnownImage[]> {
    return this.reading(async () => {
      const found: KnownImage[] = [];
      const added = [...(await this.#added()).keys()];
      const own = await presentColumns(this.#parts.pictures, imageNames);
      for await (const some of chunks(values, valuesPerLookup)) {
        const filter = { kind: 'in', column, values: some } as const;
        const query = this.#parts.pictures
          .query()
          .where(await this.#sql(filter))
          .select([...own, 'vector', ...added]);
        if (most !== undefined) query.limit(most - found.length);
        if (found.length === most) break;
        for await (const batch of query) {
          for (const row of rowsOf(batch) as (StoredImage & Metadata)[]) {
            found.push({ ...pictureOf(row), vector: row.vector, metadata: metadataOf(row, added) });
          }
        }
      }
      return found;
    });
  }

  lookUp(column: 'id' | 'path', values: readonly string[]): Promise<IndexedImage[]> {
    return this.reading(async () => {
      const own = await presentColumns(this.#parts.pictures, imageNames);
      const found: IndexedImage[] = [];
      for await (const some of chunks(values, valuesPerLook)) {
        const sql = await this.#sql({ kind: 'in', column, values: some });
        for await (const batch of this.#parts.pictures.query().where(sql).select(own)) {
          for (const row of rowsOf(batch) as unknown as IndexedImage[]) found.push(pictureOf(row));
        }
      }
      return found;
    });
  }

  count(filter?: Filter): Promise<number> {
    return this.reading(async () => this.#parts.pictures.countRows(filter && (await this.#sql(filter))));
  }

  values(column: string, options: ValuesOptions = {}): Promise<ColumnValues> {
    return this.reading(async () => {
      const filter = prefixFilter(column, await this.columns(), options.prefix);
      const all = this.#parts.pictures.query().select([column]);
      const cells = cellsOf(filter ? all.where(await this.#sql(filter)) : all);
      return await countValues(cells, options, filter !== undefined);
    });
  }

  async add(pictures: readonly StoredImage[]): Promise<void> {
    if (pictures.length === 0) return;
    const byId = new Map(pictures.map((picture) => [picture.id, picture]));
    await this.writing(async () => {
      // A call that merges takes longer than a look and one that appends.
      const present = await this.lookUp('id', [...byId.keys()]);
      const old = present.map(({ id }) => byId.get(id)!);
      for (const { id } of old) byId.delete(id);
      const added = [...byId.values()];
      if (added.length > 0) await this.#parts.pictures.add(await this.#tableOf(added));
      if (old.length > 0) await merge(this.#parts.pictures, await this.#tableOf(old));
    });
  }

  async replace(pictures: readonly StoredImage[]): Promise<void> {
    if (pictures.length === 0) return;
    await this.writing(async () => merge(this.#parts.pictures, await this.#tableOf(pictures)));
  }

  async move(facts: readonly Facts[]): Promise<void> {
    if (facts.length === 0) return;
    await this.writing(async () => {
      const columns = [...imageScalars(facts), ...(await this.#metadataColumns(facts))];
      await merge(this.#parts.pictures, tableOf(columns));
    });
  }

  async annotate(
    columns: ReadonlyMap<string, Exclude<ColumnType, 'time'>>,
    rows: readonly { readonly id: string; readonly values: Metadata }[],
  ): Promise<void> {
    await this.writing(async () => {
      const { pictures } = this.#parts;
      const known = await this.#added();
      for (const [name, type] of columns) {
        const present = known.get(name);
        if (present !== undefined && present !== type) throw otherType(name, present, type);
      }
      const missing = [...columns].filter(([name]) => !known.has(name));
      if (missing.length > 0) {
        const nulls = missing.map(([name, type]) => ({ name, valueSql: `cast(null as ${sqlTypes[type]})` }));
        await pictures.addColumns(nulls);
      }
      if (rows.length === 0) return;
      const values = metadataColumns(
        columns,
        rows.map((row) => row.values),
      );
      await merge(pictures, tableOf([...imageScalars(rows.map(({ id }) => ({ id }))), ...values]));
    });
  }

  async remove(ids: readonly string[]): Promise<void> {
    await this.delete(this.#parts.pictures, 'id', ids);
  }

  search({ vector, limit, filter, exact = false }: StoreQuery): Promise<Hit[]> {
    return this.reading(async () => {
      const added = [...(await this.#added()).keys()];
      const partitions = exact ? undefined : await this.#partitions();
      let query = this.#parts.pictures
        .vectorSearch(vector)
        .distanceType('l2')
        .limit(limit)
        .select(['id', 'path', 'hash', ...added, '_distance']);
      if (filter) query = query.where(await this.#sql(filter));
      if (partitions === undefined) query = query.bypassVectorIndex();
      else {
        const probes = filter ? allProbes : Math.max(fewestProbes, Math.ceil(partitions * probedPart));
        query = query.nprobes(probes).refineFactor(Math.max(refinement, Math.ceil(fewestCandidates / limit)));
      }
      const hits: Hit[] = [];
      for await (const batch of query) {
        for (const row of rowsOf(batch) as (Pick<Hit, 'id' | 'path' | 'hash'> & {
          readonly _distance: number;
        })[]) {
          const { id, path, hash, _distance } = row;
          // For vectors of length 1, the squared distance is 2 - 2 cos.
          const score = 1 - _distance / 2;
          hits.push({ id, path, folder: posix.dirname(path), hash, score, metadata: metadataOf(row, added) });
        }
      }
      return hits.sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1));
    });
  }

  async commit(): Promise<void> {}

  async maintain(): Promise<void> {
    await this.writing(async () => {
      const { pictures, broken } = this.#parts;
      const cleanupOlderThan = new Date(Date.now() - versionLifetime);
      await broken.optimize({ cleanupOlderThan });
      for (const name of Object.keys(laterTables) as LaterTable[]) {
        await (await this.#parts.later(name, false))?.optimize({ cleanupOlderThan });
      }
      const count = await pictures.countRows();
      // The codes are packed in eights. All published CLIPs have such dimensions.
      const isIndexed = count >= picturesForIndex && this.info.dimensions % 8 === 0;
      const partitions = Math.max(1, Math.round(count / picturesPerPartition));
      const present = await this.#partitions();
      if (present === undefined) {
        await pictures.optimize({ cleanupOlderThan });
        if (isIndexed) await this.#buildIndex(partitions);
        return;
      }
      const index = await pictures.indexStats(`vector-${present}`);
      const parts = index?.numIndices ?? 0;
      const { numFragments } = (await pictures.stats()).fragmentStats;
      if (isIndexed && (partitions >= present * growthLimit || parts >= partLimit)) {
        await this.#buildIndex(partitions, present);
      } else if ((index?.numUnindexedRows ?? 0) < pictureLimit && numFragments - parts < fragmentLimit) {
        return;
      }
      await pictures.optimize({ cleanupOlderThan });
    });
  }

  statistics(): Promise<StoreStatistics> {
    return this.reading(async () => {
      const { pictures, broken, bytes } = this.#parts;
      const partitions = await this.#partitions();
      const index = partitions === undefined ? undefined : await pictures.indexStats(`vector-${partitions}`);
      return {
        images: await pictures.countRows(),
        broken: await broken.countRows(),
        missing: (await (await this.#parts.later('missing', false))?.countRows()) ?? 0,
        bytes: await bytes(),
        approximate: index && { indexed: index.numIndexedRows, others: index.numUnindexedRows },
      };
    });
  }

  async close(): Promise<void> {
    this.#parts.pictures.close();
    this.#parts.broken.close();
    await this.#parts.close();
  }

  /** Searches use the old index until the new one is complete. */
  async #buildIndex(partitions: number, old?: number): Promise<void> {
    const { pictures } = this.#parts;
    const config = Index.ivfRq({ numBits: bitsPerDimension, numPartitions: partitions, distanceType: 'l2' });
    // The name has the number, and shows whether the same index is rebuilt.
    await pictures.createIndex('vector', { config, name: `vector-${partitions}` });
    if (old !== undefined && old !== partitions) await pictures.dropIndex(`vector-${old}`);
    // For single images. Filters cannot name these columns: with such indexes, LanceDB's filters are sometimes wrong.
    for (const column of ['id', 'hash']) await pictures.createIndex(column, { config: Index.btree() });
  }

  async #tableOf(pictures: readonly StoredImage[]) {
    const metadata = await this.#metadataColumns(pictures);
    return tableOf([...imageScalars(pictures), vectors(pictures, this.info), ...metadata]);
  }

  /** The metadata columns that exist here. */
  async #metadataColumns(rows: readonly Pick<Facts, 'metadata'>[]) {
    const given = new Set(rows.flatMap(({ metadata = {} }) => Object.keys(metadata)));
    const columns = [...(given.size > 0 ? await this.#added() : [])].filter(([name]) => given.has(name));
    return metadataColumns(
      new Map(columns),
      rows.map(({ metadata = {} }) => metadata),
    );
  }

  async #sql(filter: Filter): Promise<string> {
    const fields = await fieldsOf(this.#parts.pictures);
    return namesSql(
      filter,
      fields.map(({ name }) => name),
    );
  }

  /** Columns of metadata. */
  async #added(): Promise<Map<string, ColumnType>> {
    const types = { Utf8: 'string', Float64: 'number', Bool: 'boolean' } as const;
    const own = new Set<string>([...imageNames, ...Object.values(comparedNames), 'vector']);
    const fields = await fieldsOf(this.#parts.pictures);
    return new Map(
      fields
        .filter(({ name }) => !own.has(name))
        .map(({ name, type }) => [name, types[String(type) as keyof typeof types]]),
    );
  }

  /** Statistics of the approximate index; undefined without one. While one replaces another, there are two. */
  async #partitions(): Promise<number | undefined> {
    const indices = await this.#parts.pictures.listIndices();
    const counts = indices.flatMap(({ name }) => indexName.exec(name)?.slice(1).map(Number) ?? []);
    return counts.length > 0 ? Math.max(...counts) : undefined;
  }
}

/** Gives the rows with these ids the columns of `table`. Other columns stay. */
async function merge(pictures: Table, table: ReturnType<typeof tableOf>): Promise<void> {
  await pictures.mergeInsert('id').whenMatchedUpdateAll().execute(table);
}

function metadataOf(row: Metadata | object, names: readonly string[]): Metadata {
  const values = new Map(Object.entries(row));
  return Object.fromEntries(names.map((name) => [name, values.get(name) ?? null]));
}
