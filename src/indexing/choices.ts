/** What users choose of an update by name. */

/**
 * What tells that a file is as it was: its size, its time and the time when its status was changed; these but the last, for
 * disks where backups or other programs change it; or nothing but its contents.
 */
export const comparisons = ['times', 'modified', 'contents'] as const;
export type Comparison = (typeof comparisons)[number];
