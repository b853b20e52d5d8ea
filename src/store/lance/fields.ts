/** The columns of tables, remembered: asking for them takes as long as comparing a thousand vectors. */

import type { Table } from '@lancedb/lancedb';
import type { Field } from 'apache-arrow';

/** With the version of the table that they are of. */
const known = new WeakMap<Table, { readonly version: number; readonly fields: readonly Field[] }>();

export async function fieldsOf(table: Table): Promise<readonly Field[]> {
  const version = await table.version();
  const found = known.get(table);
  if (found?.version === version) return found.fields;
  const { fields } = await table.schema();
  known.set(table, { version, fields });
  return fields;
}

/** The existing ones of these columns: an index of an earlier version, opened for reading, may lack some. */
export async function presentColumns(table: Table, columns: readonly string[]): Promise<string[]> {
  const fields = await fieldsOf(table);
  return columns.filter((own) => fields.some(({ name }) => name === own));
}
