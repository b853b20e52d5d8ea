/** lincir: composed image retrieval. This is the library's door; the command line is `lincir`. */

export {
  type Benchmark,
  type BenchmarkImage,
  type BenchmarkQuery,
  compareResults,
  type EvaluateOptions,
  type Evaluation,
  evaluate,
  evaluationReport,
  type MethodToEvaluate,
  methodToEvaluate,
  openBenchmark,
  openMethods,
  type Prompt,
  type Ranking,
  type Results,
  readResults,
  validationOn,
  writeEvaluation,
} from './benchmarks/index.ts';
export {
  Clip,
  type ClipConfig,
  type EncodeImagesOptions,
  type EncodeOptions,
  type EncodeTextsOptions,
  type Injection,
  type LoadClipOptions,
  loadClip,
  type TextConfig,
  type TextTokenizer,
  type TokenRow,
  type VisionConfig,
} from './clip/index.ts';
export {
  type ComposeOptions,
  compose,
  type Method,
  methods,
  type PseudoTokenEncoder,
  type Query,
  type Reference,
} from './composition/index.ts';
export {
  type DownloadProgress,
  type ErrorCode,
  type Float32Tensor,
  LincirError,
  type ModelFiles,
  type Problem,
  type RandomAccess,
} from './core/index.ts';
export {
  type Annotation,
  type FoundImage,
  ImageIndex,
  type ImportSummary,
  type IndexedReference,
  type OpenIndexOptions,
  openIndex,
  type ReindexOptions,
  reindex,
  type SearchOptions,
  type ShardEvent,
  type ShardOptions,
  type ShardStatus,
  type ShardSummary,
  shardStatus,
  type UpdateEvent,
  type UpdateOptions,
  type UpdateSummary,
  type WatchEvent,
  type WatchOptions,
  watchIndex,
} from './indexing/index.ts';
export { type Device, devices, type Precision, precisions } from './onnx/index.ts';
export { type LoadPhiOptions, loadPhi, Phi, type PhiInfo } from './phi/index.ts';
export { type EmbeddingsFile, type MetadataFile, openEmbeddings, openMetadata } from './pictures/index.ts';
export type { ImageSource } from './pixels/index.ts';
export {
  type Exported,
  type ExportedOnnx,
  type ExportOnnxOptions,
  type ExportOptions,
  exportOnnx,
  exportPhi,
  type Published,
  type PublishOptions,
  publishPhi,
} from './publishing/index.ts';
export {
  type SearchEvent,
  Searcher,
  type SearcherOptions,
  type SearchRequest,
  type SearchResults,
} from './search/index.ts';
export type {
  BrokenImage,
  Hit,
  IndexedImage,
  KnownImage,
  Metadata,
  SourceRecord,
  StoreInfo,
  StoreStatistics,
} from './store/index.ts';
export {
  type DeviceChange,
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
} from './training/index.ts';
