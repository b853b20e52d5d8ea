/** Frozen CLIP models: loading, tokenizing, preprocessing and encoding. */

export { Clip, type EncodeOptions, type EncodeTextsOptions, type LoadClipOptions, loadClip } from './clip.ts';
export type { Activation, ClipConfig, TextConfig, TowerConfig, VisionConfig } from './config.ts';
export type { ImageSource } from './decode.ts';
export type { ImagePreprocessing } from './preprocess.ts';
export { type TextInputs, textInputs, textTower } from './text-tower.ts';
export { type Injection, type TokenBatch, type TokenRow, tokenBatches } from './token-batches.ts';
export { type ClipTokenizer, loadTokenizer } from './tokenizer.ts';
export { visionInput, visionTower } from './vision-tower.ts';
