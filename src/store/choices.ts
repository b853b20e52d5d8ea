/** What users choose of a store by name. */

export { precisions } from './store.ts';
