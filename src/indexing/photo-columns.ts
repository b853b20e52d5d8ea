/** What image files say about themselves, as columns for filters: time, camera, lens, place and size. */
// They are stored under other names, so that a user's table may have columns of these names, which then come first.

import type { PhotoFacts } from '../pictures/index.ts';
import type { Columns, ColumnType, Filter, Metadata, Scalar } from '../store/index.ts';

/** Their types in a filter. Times are texts with what the camera's clock showed, because no time zone is known. */
const filterTypes: Readonly<Record<keyof PhotoFacts, ColumnType>> = {
  taken: 'time',
  camera: 'string',
  lens: 'string',
  latitude: 'number',
  longitude: 'number',
  width: 'number',
  height: 'number',
};
const names = Object.keys(filterTypes) as (keyof PhotoFacts)[];
/** No user's column begins with this. */
const mark = '_';

/** Their names in a store. */
export const storedPhotoColumns: ReadonlyMap<string, Exclude<ColumnType, 'time'>> = new Map(
  Object.entries(filterTypes).map(([name, type]) => [mark + name, type === 'time' ? 'string' : type]),
);

export function storedPhotoFacts(facts: PhotoFacts): Metadata {
  return Object.fromEntries(names.map((name) => [mark + name, facts[name]]));
}

/** The part of the metadata that an image's file says. */
export function photoOf(stored: Metadata): Metadata {
  return Object.fromEntries(Object.entries(stored).filter(([name]) => storedPhotoColumns.has(name)));
}

/** Whether an image's file has been read for this. */
export function isDescribed(stored: Metadata): boolean {
  return stored[`${mark}width`] != null;
}

/** A store's columns under the users' names. */
export function namedColumns(stored: Columns): Columns {
  const own = [...stored].filter(([name]) => !storedPhotoColumns.has(name));
  const photo = names
    .filter((name) => stored.has(mark + name) && !stored.has(name))
    .map((name) => [name, filterTypes[name]] as const);
  return new Map([...own, ...photo]);
}

/** A store's metadata under the users' names: their own first, then what the file says. */
export function namedMetadata(stored: Metadata): Metadata {
  const own = Object.entries(stored).filter(([name]) => !storedPhotoColumns.has(name));
  const photo = names
    .filter((name) => stored[mark + name] != null && !(name in stored))
    .map((name) => [name, stored[mark + name]!] as const);
  return Object.fromEntries([...own, ...photo]);
}

/** The store's name of a column that users name. */
export function storedColumn(column: string, stored: Columns): string {
  return stored.has(column) || !stored.has(mark + column) ? column : mark + column;
}

/** Translates a filter from users' names to a store's. */
export function storedFilter(filter: Filter, stored: Columns): Filter {
  switch (filter.kind) {
    case 'not':
      return { ...filter, of: storedFilter(filter.of, stored) };
    case 'and':
    case 'or':
      return { ...filter, of: filter.of.map((of) => storedFilter(of, stored)) };
    default:
      break;
  }
  const { column } = filter;
  const renamed = { ...filter, column: storedColumn(column, stored) };
  if (renamed.column === column) return filter;
  if (column !== ('taken' satisfies keyof PhotoFacts)) return renamed;
  if (renamed.kind === 'compare') return { ...renamed, value: clockTime(renamed.value) };
  return renamed.kind === 'in' ? { ...renamed, values: renamed.values.map(clockTime) } : renamed;
}

/** Milliseconds since 1970 in local time, in the form of `taken`. */
export function clockTime(milliseconds: Scalar): string {
  // Outside these years, texts do not sort like times.
  const [first, last] = [Date.parse('0001-01-02'), Date.parse('9999-12-30')];
  const time = new Date(Math.min(Math.max(Number(milliseconds), first), last));
  const shown = new Date(time.getTime() - time.getTimezoneOffset() * 60_000);
  return shown.toISOString().replace(/(?:\.000)?Z$/, '');
}
