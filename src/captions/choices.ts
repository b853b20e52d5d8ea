/** What users choose by name: rules of masking. */

/** `spans` replaces keywords where they stand; `official` every occurrence of them, as the authors' code does. */
export const maskings = ['spans', 'official'] as const;
export type Masking = (typeof maskings)[number];
