/** Counts the values that a column has, from so many of its rows as take little time and memory. */

import { nameKey } from '../core/index.ts';
import type { Columns, Filter, Scalar } from './filter/filter.ts';

export interface ValuesOptions {
  /** What the values begin with, in any case. */
  readonly prefix?: string;
  /** Largest number of values. Default: 20. */
  readonly limit?: number;
}

export interface ColumnValues {
  /** The most frequent first; equally frequent ones in their own order. Texts are in `nameKey`'s form. */
  readonly values: readonly { readonly value: Scalar; readonly count: number }[];
  /** In the values' own order. Absent if there is no value. */
  readonly least?: Scalar;
  readonly greatest?: Scalar;
  /** Whether there are more rows than were looked at. */
  readonly sampled: boolean;
}

const defaultLimit = 20;
/** So many short texts take LanceDB and JavaScript a quarter of a second. */
const mostRows = 100_000;
/** Of all texts together. */
const mostCharacters = 20_000_000;

/** The rows whose values begin with `prefix`, if the store can tell: those of a column of texts. */
export function prefixFilter(column: string, columns: Columns, prefix = ''): Filter | undefined {
  if (prefix === '' || columns.get(column) !== 'string') return undefined;
  const pattern = `${nameKey(prefix).replaceAll(/[\\%_]/g, '\\$&')}%`;
  return { kind: 'like', column, pattern, ignoreCase: true };
}

/**
 * Counts values, some thousand at a time. Null is none.
 * @param isFiltered whether `prefixFilter` has left out the others
 */
export async function countValues(
  batches: AsyncIterable<readonly (Scalar | null)[]> | Iterable<readonly (Scalar | null)[]>,
  { prefix = '', limit = defaultLimit }: ValuesOptions,
  isFiltered: boolean,
): Promise<ColumnValues> {
  const counts = new Map<Scalar, number>();
  const begins = prefix.toLowerCase();
  let rows = 0;
  let characters = 0;
  let sampled = false;
  for await (const batch of batches) {
    for (const given of batch) {
      if (rows === mostRows || characters > mostCharacters) {
        sampled = true;
        break;
      }
      rows += 1;
      if (given === null || Number.isNaN(given)) continue;
      const value = typeof given === 'string' ? nameKey(given) : given;
      if (typeof value === 'string') characters += value.length;
      if (!(isFiltered || `${value}`.toLowerCase().startsWith(begins))) continue;
      counts.set(value, (counts.get(value) ?? 0) + 1);
    }
    if (sampled) break;
  }
  return valuesOf(counts, limit, sampled);
}

/**
 * What a store has counted itself.
 * @param isFiltered whether `prefixFilter` has left out the others
 */
export function countedValues(
  counts: ReadonlyMap<Scalar, number>,
  { prefix = '', limit = defaultLimit }: ValuesOptions,
  isFiltered: boolean,
  sampled: boolean,
): ColumnValues {
  const begins = prefix.toLowerCase();
  const isWanted = (value: Scalar) => isFiltered || `${value}`.toLowerCase().startsWith(begins);
  return valuesOf(new Map([...counts].filter(([value]) => isWanted(value))), limit, sampled);
}

function valuesOf(counts: ReadonlyMap<Scalar, number>, limit: number, sampled: boolean): ColumnValues {
  if (counts.size === 0) return { values: [], sampled };
  let [least] = counts.keys();
  let greatest = least;
  for (const value of counts.keys()) {
    if (value < least!) least = value;
    if (value > greatest!) greatest = value;
  }
  return { values: mostFrequent(counts, limit), least: least!, greatest: greatest!, sampled };
}

/** Sorts no more than it must: all values may differ. */
function mostFrequent(counts: ReadonlyMap<Scalar, number>, limit: number): ColumnValues['values'] {
  const best: ColumnValues['values'][number][] = [];
  for (const [value, count] of counts) {
    const isBefore = (other: (typeof best)[number]) =>
      count > other.count || (count === other.count && value < other.value);
    if (best.length === limit && !isBefore(best[limit - 1]!)) continue;
    const place = best.findIndex(isBefore);
    best.splice(place < 0 ? best.length : place, 0, { value, count });
    best.length = Math.min(best.length, limit);
  }
  return best;
}
