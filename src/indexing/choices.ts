/** What users choose by name: how to tell whether a file is unchanged. */

/**
 * What tells that a file is unchanged: its size, its time and its ctime; its size and time, for disks where backups or
 * other programs change the ctime; or its contents alone.
 */
export const comparisons = ['times', 'modified', 'contents'] as const;
export type Comparison = (typeof comparisons)[number];
