/** A store in an OpenSearch cluster: images are documents of one index, and notes of another. */

import { z } from 'zod';
import { chunks, LincirError, nameKey } from '../../core/index.ts';
import type { Columns, ColumnType, Filter } from '../filter/filter.ts';
import { otherType } from '../memory-store.ts';
import {
  type Facts,
  filterColumns,
  type Hit,
  type IndexedImage,
  type KnownImage,
  type Metadata,
  type StoredImage,
  type StoreInfo,
  type StoreQuery,
  type StoreStatistics,
  type VectorStore,
} from '../store.ts';
import { type ColumnValues, countedValues, prefixFilter, type ValuesOptions } from '../values.ts';
import type { ClusterParts } from './cluster.ts';
import {
  addedColumns,
  columnMapping,
  comparedField,
  documentOf,
  hitFields,
  type ImageChange,
  imageFields,
  imageOf,
  knownImageOf,
  metadataOf,
  mostColumns,
  parseDocument,
} from './fields.ts';
import { Notes } from './notes.ts';
import { filterQuery, type Query } from './query.ts';
import { pages, refresh, search } from './reading.ts';
import { SharedNotes } from './shared.ts';
import { type Change, write } from './writing.ts';

/** Candidates that a search of the graph keeps at least: with fewer, recall@50 falls below 0.99. */
const fewestCandidates = 300;
/** The k-NN plugin's limit. What asks for more compares every vector. */
const mostNeighbours = 10_000;
/** The setting `index.max_result_window` of our indexes. */
export const mostHits = 100_000;
/** Values in one lookup; images with vectors in one answer. */
const valuesPerLookup = 2000;
const imagesPerPage = 500;
/** Milliseconds for which a search may use columns that it knows. */
const columnsLast = 1000;
/** Of a column, so many values are counted, among so many images of each part of an index. */
const mostValues = 10_000;
const mostSampled = 100_000;

export class OpenSearchStore extends Notes implements VectorStore {
  readonly info: StoreInfo;
  readonly shared: SharedNotes;
  readonly #parts: ClusterParts;
  #columns: { readonly until: number; readonly added: ReturnType<typeof addedColumns> } | undefined;
  /** Whether something is written that searches do not find yet, and whether others may not know of it. */
  #isUnseen = false;
  #isUncommitted = false;
  #refreshed: Promise<unknown> = Promise.resolve();

  constructor(parts: ClusterParts) {
    super(parts.cluster, parts.notes);
    this.info = parts.info;
    this.shared = new SharedNotes(parts);
    this.#parts = parts;
  }

  async version(): Promise<number> {
    await this.commit();
    return await this.noted();
  }

  async columns(): Promise<Columns> {
    return new Map([...filterColumns, ...(await this.#added(true))]);
  }

  async *images(): AsyncGenerator<readonly IndexedImage[], void, void> {
    await this.refresh();
    const { cluster, images } = this.#parts;
    for await (const some of pages(cluster, images, { match_all: {} }, imageFields)) {
      yield some.map((source) => imageOf(parseDocument(source)));
    }
  }

  async find(
    column: 'id' | 'path' | 'hash',
    values: readonly string[],
    most = Number.POSITIVE_INFINITY,
  ): Promise<KnownImage[]> {
    const added = await this.#added();
    const found: KnownImage[] = [];
    const fields = [...imageFields, 'vector', 'm'];
    for await (const page of this.#find(column, values, fields, Math.min(most, imagesPerPage))) {
      for (const source of page) {
        if (found.length === most) return found;
        found.push(knownImageOf(parseDocument(source), added));
      }
    }
    return found;
  }

  async lookUp(column: 'id' | 'path', values: readonly string[]): Promise<IndexedImage[]> {
    const pages = await Array.fromAsync(this.#find(column, values, imageFields));
    return pages.flat().map((source) => imageOf(parseDocument(source)));
  }

  async count(filter?: Filter): Promise<number> {
    await this.refresh();
    const query = filter ? filterQuery(filter) : { match_all: {} };
    const body = { size: 0, query, track_total_hits: true };
    return (await this.#search(body)).hits.total?.value ?? 0;
  }

  async values(column: string, options: ValuesOptions = {}): Promise<ColumnValues> {
    await this.refresh();
    const filter = prefixFilter(column, await this.columns(), options.prefix);
    const terms = { field: comparedField(column), size: mostValues, execution_hint: 'map' };
    const sample = { sampler: { shard_size: mostSampled }, aggs: { values: { terms } } };
    const query = filter ? filterQuery(filter) : { match_all: {} };
    const { hits, aggregations } = await this.#search({
      size: 0,
      query,
      aggs: { sample },
      track_total_hits: true,
    });
    const { doc_count, values } = sampleAnswer.parse(aggregations).sample;
    const counts = values.buckets.map(({ key, key_as_string, doc_count: count }) => {
      const isTrue = key_as_string === undefined ? undefined : key_as_string === 'true';
      return [isTrue ?? key, count] as const;
    });
    const isSampled = (hits.total?.value ?? 0) > doc_count || values.sum_other_doc_count > 0;
    return countedValues(new Map(counts), options, filter !== undefined, isSampled);
  }

  async add(pictures: readonly StoredImage[]): Promise<void> {
    await this.#put('upsert', pictures.map(whole));
  }

  async replace(pictures: readonly StoredImage[]): Promise<void> {
    await this.#put('update', pictures.map(whole));
  }

  async move(facts: readonly Facts[]): Promise<void> {
    await this.#put('update', facts);
  }

  async annotate(
    columns: ReadonlyMap<string, Exclude<ColumnType, 'time'>>,
    rows: readonly { readonly id: string; readonly values: Metadata }[],
  ): Promise<void> {
    const known = await this.#added(true);
    for (const [name, type] of columns) {
      const present = known.get(name);
      if (present !== undefined && present !== type) throw otherType(name, present, type);
    }
    const missing = new Map([...columns].filter(([name]) => !known.has(name)));
    if (missing.size > 0) await this.#addColumns(missing, known.size + missing.size);
    await this.#put(
      'update',
      rows.map(({ id, values }) => ({ id, metadata: values })),
    );
  }

  async remove(ids: readonly string[]): Promise<void> {
    await this.write(ids.map((id) => ({ action: 'delete', index: this.#alias, id, name: id })));
  }

  async search({ vector, limit, filter, exact = false }: StoreQuery): Promise<Hit[]> {
    if (limit > mostHits) throw tooMany(limit);
    await this.refresh();
    const added = await this.#added();
    const where = filter && filterQuery(filter);
    const query =
      exact || limit > mostNeighbours ? everyVector(vector, where) : nearVectors(vector, limit, where);
    const sort = [{ _score: 'desc' }, { id: 'asc' }];
    const body = { size: limit, query, _source: hitFields, sort, track_total_hits: false };
    const { hits } = (await this.#search(body)).hits;
    return hits.map(({ _score, _source }) => {
      const found = parseDocument(_source);
      const { id, path, folder, hash } = found;
      return { id, path, folder, hash, score: 2 * _score! - 1, metadata: metadataOf(found, added) };
    });
  }

  async maintain(): Promise<void> {
    await this.commit();
  }

  async statistics(): Promise<StoreStatistics> {
    await this.refresh();
    const { cluster, images, notes } = this.#parts;
    const path = `/${images},${notes}/_stats/store`;
    const { _all } = statsAnswer.parse(await cluster.request({ method: 'GET', path }));
    const count = await this.count();
    return {
      ...{
        images: count,
        broken: await this.countNotes('broken'),
        missing: await this.countNotes('missing'),
      },
      bytes: _all.total.store.size_in_bytes,
      approximate: { indexed: count, others: 0 },
    };
  }

  async commit(): Promise<void> {
    await this.refresh();
    if (!this.#isUncommitted) return;
    this.#isUncommitted = false;
    await write(this.#parts.cluster, [this.newVersion()], this.#parts.before).catch((error: unknown) => {
      this.#isUncommitted = true;
      throw error;
    });
  }

  async close(): Promise<void> {
    try {
      await this.commit();
    } finally {
      await this.#parts.close();
    }
  }

  protected async write(changes: readonly Change[]): Promise<void> {
    if (changes.length === 0) return;
    const { cluster, before } = this.#parts;
    // A reader that sees the change and not the new version would never look again.
    const first = this.#isUncommitted ? [] : [this.newVersion()];
    this.#isUncommitted = true;
    this.#isUnseen = true;
    await write(cluster, [...first, ...changes], before);
  }

  protected refresh(): Promise<unknown> {
    if (this.#isUnseen) {
      this.#isUnseen = false;
      const { cluster, images, notes } = this.#parts;
      this.#refreshed = refresh(cluster, [images, notes]).catch((error: unknown) => {
        this.#isUnseen = true;
        throw error;
      });
    }
    return this.#refreshed;
  }

  get #alias(): string {
    return `${this.#parts.images}.write`;
  }

  async #put(action: 'upsert' | 'update', pictures: readonly ImageChange[]): Promise<void> {
    if (pictures.length === 0) return;
    const added = await this.#added();
    const changes = pictures.map((picture) => {
      const { id, path = id } = picture;
      return { action, index: this.#alias, id, name: path, document: documentOf(picture, added, this.info) };
    });
    await this.write(changes);
  }

  async *#find(
    column: 'id' | 'path' | 'hash',
    values: readonly string[],
    fields: readonly string[],
    size?: number,
  ): AsyncGenerator<readonly unknown[], void, void> {
    await this.refresh();
    const { cluster, images } = this.#parts;
    for await (const some of chunks(values, valuesPerLookup)) {
      const query = { terms: { [comparedField(column)]: some.map(nameKey) } };
      yield* pages(cluster, images, query, fields, size);
    }
  }

  #search(body: object) {
    return search(this.#parts.cluster, this.#parts.images, body);
  }

  /** Columns of metadata. */
  async #added(isNow = false): Promise<ReturnType<typeof addedColumns>> {
    if (!isNow && this.#columns && performance.now() < this.#columns.until) return this.#columns.added;
    const { cluster, images } = this.#parts;
    const until = performance.now() + columnsLast;
    const answer = await cluster.request({ method: 'GET', path: `/${images}/_mapping` });
    const added = addedColumns(answer);
    this.#columns = { until, added };
    return added;
  }

  async #addColumns(missing: ReadonlyMap<string, Exclude<ColumnType, 'time'>>, all: number): Promise<void> {
    if (all > mostColumns) {
      throw new LincirError('bad-argument', {
        subject: this.#parts.cluster.uri,
        expected: `at most ${mostColumns} columns of metadata`,
        found: `${all}`,
        todo: 'leave out columns that no filter needs',
      });
    }
    const { cluster, before } = this.#parts;
    const path = `/${this.#alias}/_mapping`;
    await cluster.request({ method: 'PUT', path, body: columnMapping(missing), before });
    this.#columns = undefined;
  }
}

/** What a change does not name stays in a document. */
function whole(picture: StoredImage): ImageChange {
  return { ...picture, statusChanged: picture.statusChanged ?? null };
}

const statsAnswer = z.object({
  _all: z.object({ total: z.object({ store: z.object({ size_in_bytes: z.number() }) }) }),
});
const bucket = z.object({
  key: z.union([z.string(), z.number()]),
  key_as_string: z.string().optional(),
  doc_count: z.number(),
});
const sampleAnswer = z.object({
  sample: z.object({
    doc_count: z.number(),
    values: z.object({ buckets: z.array(bucket), sum_other_doc_count: z.number() }),
  }),
});

/** Compares every vector. Both scores are half of the cosine similarity and one. */
function everyVector(vector: Float32Array, where: Query = { match_all: {} }): Query {
  const params = { field: 'vector', query_value: [...vector], space_type: 'cosinesimil' };
  return { script_score: { query: where, script: { source: 'knn_score', lang: 'knn', params } } };
}

/** Searches the graph of every part among what passes. */
function nearVectors(vector: Float32Array, limit: number, where?: Query): Query {
  const method_parameters = { ef_search: Math.max(fewestCandidates, limit) };
  return {
    knn: { vector: { vector: [...vector], k: limit, method_parameters, ...(where && { filter: where }) } },
  };
}

function tooMany(limit: number): LincirError {
  return new LincirError('bad-argument', {
    subject: 'the number of hits',
    expected: `at most ${mostHits}`,
    found: `${limit}`,
  });
}
