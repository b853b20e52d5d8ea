/** Pictures and what comes with them: files, shards, addresses on the web, ready embeddings and metadata. */

export { indexedBytes } from './bytes.ts';
export { type EmbeddingsFile, openEmbeddings } from './embeddings.ts';
export { endingOf, leftOutEndings, takenEndings } from './endings.ts';
export { type FoundPicture, reasonOf, type Unreadable } from './files.ts';
export { exclusion } from './left-out.ts';
export { type LeftOut, leftOutCounter } from './looks.ts';
export { type MetadataFile, type MetadataType, openMetadata } from './metadata/metadata.ts';
export { indexPath, memberMark, splitPath } from './names.ts';
export { type PhotoFacts, PictureReader, type ReadPicture } from './reader.ts';
export { type Box, cutRegion, preprocessRegion, type Region } from './region.ts';
export { type FetchPictureOptions, fetchPicture, isWebAddress } from './remote.ts';
export { openSources, type PictureSources, type SourceOptions } from './sources.ts';
export { shrunkPicture, thumbnailOf } from './thumbnail.ts';
