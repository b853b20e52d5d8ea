/** The values of an index's columns, under the users' names. */

import { LincirError, listed, nameKey, quoted } from '../core/index.ts';
import type { ColumnValues, ValuesOptions, VectorStore } from '../store/index.ts';
import { clockTime, namedColumns, storedColumn } from './photo-columns.ts';

export async function columnValues(
  store: VectorStore,
  name: string,
  options: ValuesOptions,
): Promise<ColumnValues> {
  const stored = await store.columns();
  const columns = namedColumns(stored);
  const column = [...columns.keys()].find((known) => nameKey(known) === nameKey(name));
  if (column === undefined) {
    throw new LincirError('not-found', {
      subject: `the column ${quoted(name)}`,
      expected: `one of ${listed([...columns.keys()], 'none')}`,
      found: 'another name',
    });
  }
  const type = columns.get(column);
  const found = await store.values(storedColumn(column, stored), options);
  const { values, least, greatest, sampled } = found;
  const isOrdered = least !== undefined && greatest !== undefined && (type === 'number' || type === 'time');
  if (!isOrdered) return { values, sampled };
  if (type === 'number' || typeof least === 'string') return found;
  return {
    values: values.map(({ value, count }) => ({ value: clockTime(value), count })),
    // These texts have whole milliseconds. Everything is between these two.
    least: clockTime(Math.floor(Number(least))),
    greatest: clockTime(Math.ceil(Number(greatest))),
    sampled,
  };
}
