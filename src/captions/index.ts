/** Captions for training: finds, stores, orders, masks and tokenizes them. */

export { CaptionBatches } from './batches.ts';
export { CaptionCopy, type CaptionCopyProgress } from './copy.ts';
export * from './portable.ts';
export type { OnLeftOut } from './rows.ts';
export { type CopiedSource, sourceSchema } from './source-copy.ts';
export { findCaptionSources } from './sources.ts';
