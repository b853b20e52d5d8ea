/** Frozen CLIP models: loading, tokenizing, preprocessing and encoding. */

export {
  Clip,
  type EncodeImagesOptions,
  type EncodeOptions,
  type EncodeTextsOptions,
  type LoadClipOptions,
  loadClip,
} from './clip.ts';
export { type ClipConfig, isCausal, type TextConfig, type VisionConfig } from './config.ts';
export { isKnown as isKnownConfig } from './families/hugging-face.ts';
export { openTowers, readClipConfig, readConfigOf } from './families/index.ts';
export { modelFingerprint, precisionOf } from './fingerprint.ts';
export { calibrationPictures, picturesToCalibrate } from './int8/pictures.ts';
export { joinParts } from './placeholders.ts';
export { plainTextTower, plainTowersInOne, plainVisionTower, takesAttentionMask } from './plain-towers.ts';
export { type ComputedPrefix, computePrefix } from './prefix.ts';
export {
  type ImagePreprocessing,
  type PreprocessOptions,
  preprocessImage,
  readPreprocessing,
} from './preprocess.ts';
export { type TextInputs, textInputs } from './text-inputs.ts';
export { prefixInputs, textPrefix, textTower } from './text-tower.ts';
export { type Injection, type TokenRow, tokenBatches } from './token-batches.ts';
export { loadTokenizer, placeholderWord, type TextTokenizer } from './tokenizer.ts';
export { readTokenizerFiles } from './tokenizer-files.ts';
export { openTokenizer, tokenizerFilesOf } from './tokenizer-of.ts';
export { type Parameter, parametersOf } from './transformer.ts';
export { visionInput, visionTower } from './vision-tower.ts';
