/** Missing pictures in LanceDB: a table that is made for the first of them. */

import type { Table } from '@lancedb/lancedb';
import { parseJsonText, quoted } from '../core/index.ts';
import { filterSql } from './filter-sql.ts';
import { missingSchema, rowsOf, scalars, tableOf } from './lance-rows.ts';
import type { MissingPicture } from './store.ts';

/** A row: metadata in JSON, since their columns may change meanwhile. */
type MissingRow = Omit<MissingPicture, 'metadata'> & { readonly metadata: string };

/** The pictures, some thousand at a time, all or those with these ids or paths. */
export async function* missingRows(
  table: Table,
  column?: 'id' | 'path',
  values: readonly string[] = [],
): AsyncGenerator<readonly MissingPicture[], void, void> {
  const all = table.query();
  for await (const batch of column ? all.where(filterSql({ kind: 'in', column, values })) : all) {
    yield (rowsOf(batch) as MissingRow[]).map((row) => ({ ...row, metadata: metadataOf(row) }));
  }
}

function metadataOf({ path, metadata }: MissingRow): MissingPicture['metadata'] {
  return parseJsonText(metadata, `the index: metadata of ${quoted(path, 200)}`) as MissingPicture['metadata'];
}

/** Adds pictures, or replaces what has their ids. */
export async function mergeMissing(table: Table, pictures: readonly MissingPicture[]): Promise<void> {
  const rows = pictures.map((picture) => ({ ...picture, metadata: JSON.stringify(picture.metadata) }));
  const columns = missingSchema.fields.map((field) =>
    scalars(
      field,
      rows.map((row) => row[field.name as keyof MissingRow]),
    ),
  );
  const merging = table.mergeInsert('id').whenMatchedUpdateAll().whenNotMatchedInsertAll();
  await merging.execute(tableOf(columns));
}
