/** What users choose of captions by name. */

export { maskings } from './masking.ts';
