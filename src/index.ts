/** lincir: composed image retrieval. This is the library's door; the command line is `lincir`. */

export {
  Clip,
  type ClipConfig,
  type ClipTokenizer,
  type EncodeImagesOptions,
  type EncodeOptions,
  type EncodeTextsOptions,
  type ImageSource,
  type Injection,
  type LoadClipOptions,
  loadClip,
  type TextConfig,
  type TokenRow,
  type VisionConfig,
} from './clip/index.ts';
export { type ErrorCode, type Float32Tensor, LincirError, type Problem } from './core/index.ts';
export type { DownloadProgress } from './hub/index.ts';
export {
  type LoadPhiOptions,
  loadPhi,
  Phi,
  type PhiInfo,
  type RunHooks,
  type RunOptions,
  type StepMetrics,
  type TrainingBegin,
  type TrainingEvent,
  type TrainingSettings,
  type TrainingSettingsInput,
  trainPhi,
  type Validation,
  type ValidationMetrics,
} from './lincir/index.ts';
export { type Device, devices } from './onnx/index.ts';
export {
  type EmbeddingsFile,
  type MetadataFile,
  openEmbeddings,
  openMetadata,
} from './pictures/index.ts';
export {
  type Annotation,
  type ComposeOptions,
  compose,
  type ImportSummary,
  type IndexedReference,
  type Method,
  type OpenIndexOptions,
  openIndex,
  PictureIndex,
  type Query,
  type Reference,
  type ReindexOptions,
  reindex,
  type SearchOptions,
  type UpdateEvent,
  type UpdateOptions,
  type UpdateSummary,
} from './retrieval/index.ts';
export type {
  BrokenPicture,
  Hit,
  KnownPicture,
  Metadata,
  Picture,
  StoreInfo,
  StoreStatistics,
} from './store/index.ts';
