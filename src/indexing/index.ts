/** Indexes of images: bringing them up to date, searching them, rebuilding them. */

export type { Annotation } from './annotate.ts';
export type { Comparison } from './choices.ts';
export { type Forecast, type ForecastOptions, forecast, type WorkAhead } from './forecast.ts';
export { imageBytes } from './image-bytes.ts';
export {
  ImageIndex,
  type IndexedReference,
  infoFor,
  type OpenIndexOptions,
  openIndex,
} from './image-index.ts';
export { expectEmbeddings, type ImportSummary } from './import.ts';
export { type IndexingWork, indexInProcess } from './indexing-process.ts';
export { modelFor } from './model-name.ts';
export { modelPrecision } from './model-precision.ts';
export { type ReindexOptions, reindex } from './reindex.ts';
export type { FoundImage, SearchOptions } from './search.ts';
export { indexShard, type ShardEvent, type ShardOptions, type ShardSummary } from './sharding/run.ts';
export { divisionsOf, type ShardStatus, shardStatus } from './sharding/status.ts';
export { endedAmong, workerName } from './sharding/worker.ts';
export type { UpdateEvent, UpdateOptions, UpdateSummary } from './update.ts';
export { type WatchEvent, type WatchOptions, watchIndex } from './watch.ts';
