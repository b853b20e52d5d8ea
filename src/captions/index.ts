/** Captions for training: finds, stores, orders, masks and tokenizes them. */

export { CaptionBatches } from './batches.ts';
export { type Masking, maskings } from './choices.ts';
export { cleanCaption } from './cleaning.ts';
export { CaptionCopy, type CaptionCopyProgress } from './copy.ts';
export { createTagger, type Span } from './keywords.ts';
export { type MaskedCaption, maskCaption } from './masking.ts';
export { captionOrder } from './order.ts';
export { createPreparation, type PreparedCaption } from './preparation.ts';
export type { OnLeftOut } from './rows.ts';
export { type CopiedSource, sourceSchema } from './source-copy.ts';
export { findCaptionSources, type MadeCaptions } from './sources.ts';
