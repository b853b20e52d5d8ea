/** What an index in LanceDB notes beside its images: broken images, missing ones, and sources. */

import type { Table } from '@lancedb/lancedb';
import type { Schema } from 'apache-arrow';
import { chunks, parseJsonText, quoted } from '../../core/index.ts';
import type { Filter, Scalar } from '../filter/filter.ts';
import { filterSql } from '../filter/sql.ts';
import {
  type BrokenImage,
  brokenOf,
  type MissingImage,
  recordOfSource,
  type SourceRecord,
  type StoreInfo,
} from '../store.ts';
import { engineError } from './errors.ts';
import { presentColumns } from './fields.ts';
import { brokenNames, brokenSchema, missingSchema, rowsOf, scalars, sourcesSchema, tableOf } from './rows.ts';

/** Parts of a store on LanceDB. */
export interface LanceParts {
  readonly uri: string;
  readonly info: StoreInfo;
  readonly pictures: Table;
  readonly broken: Table;
  /** A table that is made for its first row; undefined until then, unless it is to be made. */
  readonly later: (name: LaterTable, make: boolean) => Promise<Table | undefined>;
  /** Bytes on disk, if that is known. */
  readonly bytes: () => Promise<number | undefined>;
  /** Runs a commit. Throws as a store does. */
  readonly writing: <T>(work: () => Promise<T>) => Promise<T>;
  readonly close: () => Promise<void>;
}

/** Tables that are made for their first row, and their columns. */
export const laterTables = { missing: missingSchema, sources: sourcesSchema } as const;
export type LaterTable = keyof typeof laterTables;

/** Number of values in one `IN (…)`. */
export const valuesPerLookup = 1000;

export class LanceNotes {
  readonly #parts: LanceParts;

  constructor(parts: LanceParts) {
    this.#parts = parts;
  }

  async *broken(): AsyncGenerator<readonly BrokenImage[], void, void> {
    const own = await presentColumns(this.#parts.broken, brokenNames);
    for await (const rows of this.rows<BrokenImage>(this.#parts.broken, own)) yield rows.map(brokenOf);
  }

  async addBroken(pictures: readonly BrokenImage[]): Promise<void> {
    if (pictures.length === 0) return;
    await this.writing(() => merge(this.#parts.broken, 'path', brokenSchema, pictures));
  }

  async removeBroken(paths: readonly string[]): Promise<void> {
    await this.delete(this.#parts.broken, 'path', paths);
  }

  async *missing(): AsyncGenerator<readonly MissingImage[], void, void> {
    const table = await this.reading(() => this.#parts.later('missing', false));
    if (table) for await (const rows of this.rows<MissingRow>(table)) yield rows.map(missingOf);
  }

  async findMissing(column: 'id' | 'path' | 'hash', values: readonly string[]): Promise<MissingImage[]> {
    return (await this.#findLater<MissingRow>('missing', column, values)).map(missingOf);
  }

  async addMissing(pictures: readonly MissingImage[]): Promise<void> {
    await this.#mergeLater('missing', 'id', pictures.map(missingRow));
  }

  async removeMissing(ids: readonly string[]): Promise<void> {
    const table = await this.reading(() => this.#parts.later('missing', false));
    if (table) await this.delete(table, 'id', ids);
  }

  async *sources(): AsyncGenerator<readonly SourceRecord[], void, void> {
    const table = await this.reading(() => this.#parts.later('sources', false));
    if (table) for await (const rows of this.rows<SourceRecord>(table)) yield rows.map(recordOfSource);
  }

  async findSources(names: readonly string[]): Promise<SourceRecord[]> {
    return (await this.#findLater<SourceRecord>('sources', 'source', names)).map(recordOfSource);
  }

  async recordSources(records: readonly SourceRecord[]): Promise<void> {
    await this.#mergeLater('sources', 'source', records);
  }

  async removeSources(names: readonly string[]): Promise<void> {
    const table = await this.reading(() => this.#parts.later('sources', false));
    if (table) await this.delete(table, 'source', names);
  }

  protected async *rows<Row>(
    table: Table,
    columns?: readonly string[],
    filter?: Filter,
  ): AsyncGenerator<readonly Row[], void, void> {
    try {
      let query = table.query();
      if (columns) query = query.select([...columns]);
      if (filter) query = query.where(filterSql(filter));
      for await (const batch of query) yield rowsOf(batch) as Row[];
    } catch (error) {
      throw engineError(error, this.#parts.uri, 'read');
    }
  }

  protected async delete(
    table: Table,
    column: 'id' | 'path' | 'source',
    values: readonly string[],
  ): Promise<void> {
    for await (const some of chunks(values, valuesPerLookup)) {
      await this.writing(() => table.delete(filterSql({ kind: 'in', column, values: some })));
    }
  }

  protected async reading<T>(work: () => Promise<T>): Promise<T> {
    return await work().catch((error: unknown) => {
      throw engineError(error, this.#parts.uri, 'read');
    });
  }

  protected writing<T>(work: () => Promise<T>): Promise<T> {
    return this.#parts.writing(work);
  }

  async #findLater<Row>(name: LaterTable, column: string, values: readonly string[]): Promise<Row[]> {
    const table = await this.reading(() => this.#parts.later(name, false));
    const found: Row[] = [];
    for await (const some of chunks(table ? values : [], valuesPerLookup)) {
      const filter = { kind: 'in', column, values: some } as const;
      for await (const rows of this.rows<Row>(table!, undefined, filter)) found.push(...rows);
    }
    return found;
  }

  async #mergeLater<Row extends object>(
    name: LaterTable,
    key: keyof Row & string,
    rows: readonly Row[],
  ): Promise<void> {
    if (rows.length === 0) return;
    await this.writing(async () =>
      merge((await this.#parts.later(name, true))!, key, laterTables[name], rows),
    );
  }
}

/** A row of a missing image. Its metadata is JSON, because the columns may change meanwhile. */
type MissingRow = Omit<MissingImage, 'metadata'> & { readonly metadata: string };

function missingRow({ metadata, ...picture }: MissingImage): MissingRow {
  return { ...picture, metadata: JSON.stringify(metadata) };
}

function missingOf({ metadata, ...picture }: MissingRow): MissingImage {
  const subject = `the index: metadata of ${quoted(picture.path, 200)}`;
  return { ...picture, metadata: parseJsonText(metadata, subject) as MissingImage['metadata'] };
}

/** Adds rows, or replaces those with the same keys. */
async function merge<Row extends object>(
  table: Table,
  key: keyof Row & string,
  schema: Schema,
  rows: readonly Row[],
): Promise<void> {
  const columns = schema.fields.map((field) => {
    const values = rows.map((row) => (row[field.name as keyof Row] ?? null) as Scalar | null);
    return scalars(field, values);
  });
  const merging = table.mergeInsert(key).whenMatchedUpdateAll().whenNotMatchedInsertAll();
  await merging.execute(tableOf(columns));
}
