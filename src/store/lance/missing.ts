/** Tables of missing images in LanceDB, made for the first of them, and of broken images. */

import type { Table } from '@lancedb/lancedb';
import { parseJsonText, quoted } from '../../core/index.ts';
import type { Scalar } from '../filter/filter.ts';
import { filterSql } from '../filter/sql.ts';
import type { BrokenImage, MissingImage } from '../store.ts';
import { brokenSchema, missingSchema, rowsOf, scalars, tableOf } from './rows.ts';

/** A row. Its metadata is JSON, because the columns may change meanwhile. */
type MissingRow = Omit<MissingImage, 'metadata'> & { readonly metadata: string };

/** The images, some thousand at a time: all, or those with these ids or paths. */
export async function* missingRows(
  table: Table,
  column?: 'id' | 'path',
  values: readonly string[] = [],
): AsyncGenerator<readonly MissingImage[], void, void> {
  const all = table.query();
  for await (const batch of column ? all.where(filterSql({ kind: 'in', column, values })) : all) {
    yield (rowsOf(batch) as MissingRow[]).map((row) => ({ ...row, metadata: metadataOf(row) }));
  }
}

function metadataOf({ path, metadata }: MissingRow): MissingImage['metadata'] {
  return parseJsonText(metadata, `the index: metadata of ${quoted(path, 200)}`) as MissingImage['metadata'];
}

/** Adds images, or replaces those with the same ids. */
export async function mergeMissing(table: Table, pictures: readonly MissingImage[]): Promise<void> {
  const rows = pictures.map((picture) => ({ ...picture, metadata: JSON.stringify(picture.metadata) }));
  await mergeRows(table, 'id', missingSchema, rows);
}

/** The same, by paths. */
export async function mergeBroken(table: Table, pictures: readonly BrokenImage[]): Promise<void> {
  await mergeRows(table, 'path', brokenSchema, pictures);
}

async function mergeRows<Row extends object>(
  table: Table,
  key: keyof Row & string,
  schema: typeof missingSchema,
  rows: readonly Row[],
): Promise<void> {
  const columns = schema.fields.map((field) => {
    const values = rows.map((row) => (row[field.name as keyof Row] ?? null) as Scalar | null);
    return scalars(field, values);
  });
  const merging = table.mergeInsert(key).whenMatchedUpdateAll().whenNotMatchedInsertAll();
  await merging.execute(tableOf(columns));
}
