/** Names in LanceDB's tables: beside each that is not in Unicode's composed form stands what it is compared by. */
// A path stays as the file system has it, since the file is opened by it, and two files may differ in nothing else.

import type { Table } from '@lancedb/lancedb';
import { nameKey } from '../core/index.ts';
import { type Filter, withComparedNames } from './filter.ts';
import { filterSql, nameSql } from './filter-sql.ts';
import { pictureScalars, rowsOf, sqlTypes, tableOf } from './lance-rows.ts';
import { comparedNames, type Picture } from './store.ts';

const rowsPerChange = 2 ** 16;
/** POSIX's `dirname`, null of null. */
const folderSql = ["'^[^/]+$', '.'", "'^/[^/]*$', '/'", String.raw`'^(.+)/[^/]*$', '\1'`].reduce(
  (sql, replacement) => `regexp_replace(${sql}, ${replacement})`,
  nameSql(comparedNames.path),
);

/**
 * Gives the table of an older version what names are compared by. What is cut short is done again: the folders' column,
 * which comes last, tells that all is there.
 */
export async function addComparedNames(pictures: Table): Promise<void> {
  const { path, folder } = comparedNames;
  const { names } = await pictures.schema();
  if (names.includes(folder)) return;
  if (!names.includes(path)) {
    await pictures.addColumns([{ name: path, valueSql: `cast(null as ${sqlTypes.string})` }]);
  }
  let differing: Pick<Picture, 'id' | 'path'>[] = [];
  const change = async () => {
    const rows = tableOf(pictureScalars(differing).filter(({ field }) => field.name !== folder));
    await pictures.mergeInsert('id').whenMatchedUpdateAll().execute(rows);
    differing = [];
  };
  for await (const batch of pictures.query().select(['id', 'path'])) {
    for (const row of rowsOf(batch) as Pick<Picture, 'id' | 'path'>[]) {
      if (nameKey(row.path) !== row.path) differing.push(row);
      if (differing.length === rowsPerChange) await change();
    }
  }
  if (differing.length > 0) await change();
  await pictures.addColumns([{ name: folder, valueSql: folderSql }]);
}

/** A filter's SQL: of a table that has it, by what names are compared by. */
export function namesSql(filter: Filter, columns: readonly string[]): string {
  if (!columns.includes(comparedNames.folder)) return filterSql(filter);
  const compared = new Map<string, string>(Object.entries(comparedNames));
  return filterSql(withComparedNames(filter), (name) => {
    const other = compared.get(name);
    return other === undefined ? nameSql(name) : `coalesce(${nameSql(other)}, ${nameSql(name)})`;
  });
}
