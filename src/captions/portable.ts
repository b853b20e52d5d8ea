/** What needs no platform of captions: their order, keywords, masking, token ids, and batches of them. */

export { type BatchRequest, type CaptionBatch, captionBatches } from './batch.ts';
export { type Masking, maskings } from './choices.ts';
export { cleanCaption } from './cleaning.ts';
export { createTagger, type Span } from './keywords.ts';
export type { MadeCaptions } from './made.ts';
export { type MaskedCaption, maskCaption } from './masking.ts';
export { captionOrder } from './order.ts';
export { createPreparation, type PreparedCaption } from './preparation.ts';
