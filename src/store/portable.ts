/** What needs no platform of stores: filters, and counts of values. */

export { type Columns, parseFilter, type Scalar } from './filter/filter.ts';
export { type FilteredRow, filterPredicate } from './filter/predicate.ts';
export { countValues } from './values.ts';
