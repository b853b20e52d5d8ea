/** What users choose by name: rules of masking. */

export { maskings } from './masking.ts';
