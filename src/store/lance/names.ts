/** Names in LanceDB's tables. A name that is not in Unicode's composed form gets its compared form in another column. */
// A path stays as the file system has it, because it opens the file, and two files may differ only in this form.

import type { Table } from '@lancedb/lancedb';
import { nameKey } from '../../core/index.ts';
import { type Filter, withComparedNames } from '../filter/filter.ts';
import { filterSql, nameSql } from '../filter/sql.ts';
import { comparedNames, type IndexedImage } from '../store.ts';
import { imageNames, imageScalars, metadataColumns, rowsOf, sqlTypes, tableOf } from './rows.ts';

/** Texts by column, of which `id` and `path` are there. */
type Row = Pick<IndexedImage, 'id' | 'path'> & Readonly<Record<string, string | null>>;

const rowsPerChange = 2 ** 14;
/** POSIX's `dirname`, null of null. */
const folderSql = ["'^[^/]+$', '.'", "'^/[^/]*$', '/'", String.raw`'^(.+)/[^/]*$', '\1'`].reduce(
  (sql, replacement) => `regexp_replace(${sql}, ${replacement})`,
  nameSql(comparedNames.path),
);

/**
 * Adds the compared forms of names to a table of an older version, and brings metadata into that form. If it is
 * interrupted, it starts again: the folders' column, which comes last, shows that all is done.
 */
export async function addComparedNames(pictures: Table): Promise<void> {
  const { path, folder } = comparedNames;
  const { names, fields } = await pictures.schema();
  if (names.includes(folder)) return;
  if (!names.includes(path)) {
    await pictures.addColumns([{ name: path, valueSql: `cast(null as ${sqlTypes.string})` }]);
  }
  const own = new Set<string>([...imageNames, path]);
  const texts = fields.filter(({ name, type }) => String(type) === 'Utf8' && !own.has(name));
  const columns = new Map(texts.map(({ name }) => [name, 'string'] as const));
  let differing: Row[] = [];
  const change = async () => {
    const named = imageScalars(differing.map(({ id, path: name }) => ({ id, path: name })));
    const composed = differing.map((row) =>
      Object.fromEntries(Object.entries(row).map(([name, text]) => [name, text && nameKey(text)])),
    );
    const changed = [
      ...named.filter(({ field }) => field.name !== folder),
      ...metadataColumns(columns, composed),
    ];
    await pictures.mergeInsert('id').whenMatchedUpdateAll().execute(tableOf(changed));
    differing = [];
  };
  for await (const batch of pictures.query().select(['id', 'path', ...columns.keys()])) {
    for (const row of rowsOf(batch) as Row[]) {
      if (Object.values(row).some((text) => text !== null && nameKey(text) !== text)) differing.push(row);
      if (differing.length === rowsPerChange) await change();
    }
  }
  if (differing.length > 0) await change();
  await pictures.addColumns([{ name: folder, valueSql: folderSql }]);
}

/** A filter's SQL, which uses the compared forms of names if the table has them. */
export function namesSql(filter: Filter, columns: readonly string[]): string {
  if (!columns.includes(comparedNames.folder)) return filterSql(filter);
  const compared = new Map<string, string>(Object.entries(comparedNames));
  return filterSql(withComparedNames(filter), (name) => {
    const other = compared.get(name);
    return other === undefined ? nameSql(name) : `coalesce(${nameSql(other)}, ${nameSql(name)})`;
  });
}
