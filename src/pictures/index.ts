/** Images and what comes with them: files, shards, addresses on the web, ready embeddings and metadata. */

export { indexedBytes, unchangedBytes } from './bytes.ts';
export { type EmbeddingsFile, openEmbeddings } from './embeddings.ts';
export { looksOf } from './endings.ts';
export { type FoundImage, reasonOf, type Unreadable } from './files.ts';
export { exclusion } from './left-out.ts';
export { type LeftOut, leftOutCounter } from './looks.ts';
export {
  type MetadataFile,
  type MetadataOptions,
  type MetadataType,
  openMetadata,
} from './metadata/metadata.ts';
export { indexPath, memberMark, splitPath } from './names.ts';
export { presence } from './presence.ts';
export { ImageReader, type PhotoFacts, type ReadImage } from './reader.ts';
export { type Box, cutRegion, type Region } from './region.ts';
export { type FetchImageOptions, fetchImage, isWebAddress } from './remote.ts';
export { isS3 } from './s3/connection.ts';
export { openSources, type SourceOptions } from './sources.ts';
export { encodedThumbnail, shrunkImage, thumbnailOf } from './thumbnail.ts';
export { isOfShard, shardFile, shardName, type WorkShard } from './work-shard.ts';
export { type WorkOptions, type WorkSource, workSources } from './work-sources.ts';
