/** What users choose by name: the precision of stored vectors. */

export { precisions } from './store.ts';
