/** Captions for training: finds, stores, orders, masks and tokenizes them. */

export { type BatchOptions, type BatchRequest, type CaptionBatch, CaptionBatches } from './batches.ts';
export { cleanCaption } from './cleaning.ts';
export { createTagger, type KeywordTagger, type Span } from './keywords.ts';
export { type MaskedCaption, type Masking, maskCaption, maskings } from './masking.ts';
export { type CaptionOrder, type CaptionPlace, captionOrder, type WeightedSource } from './order.ts';
export { createPreparation, type PreparedCaption } from './preparation.ts';
export type { OnLeftOut } from './rows.ts';
export {
  type CaptionSource,
  findCaptionSources,
  type MadeCaptions,
  type SourceOptions,
} from './sources.ts';
export { CaptionStore, type CaptionStoreProgress, type StoredSource } from './store.ts';
