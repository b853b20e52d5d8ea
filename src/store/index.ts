/** Vector stores: their contract, the language of filters, and the engines behind it. */

export { engineOf, type Replacement, type StoreEngine } from './engine.ts';
export { type Columns, type ColumnType, type Filter, parseFilter, type Scalar } from './filter/filter.ts';
export * from './store.ts';
