/** Vector stores: their contract, the language of filters, and the backends behind it. */

export { backendOf } from './backend.ts';
export { type Columns, type ColumnType, type Filter, parseFilter, type Scalar } from './filter/filter.ts';
export {
  type Access,
  type BrokenImage,
  type Facts,
  formatVersion,
  type Hit,
  type IndexedImage,
  type KnownImage,
  type Metadata,
  type MissingImage,
  type Precision,
  pictureOf,
  reservedColumns,
  type SharedStore,
  type SourceRecord,
  type StoredImage,
  type StoreInfo,
  type StoreStatistics,
  type VectorStore,
} from './store.ts';
export type { ColumnValues, ValuesOptions } from './values.ts';
