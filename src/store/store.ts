/** The contract of a vector store: what holds images' embeddings and finds the nearest, whatever engine does it. */

import type { Columns, ColumnType, Filter, Scalar } from './filter/filter.ts';

/** The newest format of an index that this version reads and writes. */
export const formatVersion = 1;

/** What an index as a whole says of itself. */
export interface StoreInfo {
  /** Of the index's format. */
  readonly version: number;
  /** The model of its embeddings: a name on the hub or a folder. */
  readonly model: string;
  /** That model's. Embeddings of another must not be compared with these. */
  readonly fingerprint: string;
  readonly dimensions: number;
  /** How vectors are stored. */
  readonly precision: Precision;
  /** Ratio that long images were padded to before they were encoded; null: they were not. */
  readonly targetPad: number | null;
  /** When it was made, as ISO 8601. */
  readonly created: string;
}

export const precisions = ['float32', 'float16'] as const;
export type Precision = (typeof precisions)[number];

/** An image as an index knows it. */
export interface IndexedImage {
  /** Unique, and kept when the image is renamed or changed. */
  readonly id: string;
  /** Unique: of a file, `SHARD.tar!/MEMBER` of a shard, or the name that came with an embedding. */
  readonly path: string;
  /** What the path lies in. */
  readonly folder: string;
  /** Bytes. */
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly modified: number;
  /**
   * When anything of the file, its contents or its times, was last changed by the system's account (ctime), in
   * milliseconds since 1970: what programs cannot set. Absent where it is not known.
   */
  readonly statusChanged?: number;
  /** SHA-256 of its bytes, in hex. */
  readonly hash: string;
  /** Length of its embedding as CLIP gives it, which phi needs; null where only the direction was given. */
  readonly norm: number | null;
}

/** Values of further columns, by name. */
export type Metadata = Readonly<Record<string, Scalar | null>>;

/** What a call may say of metadata: of known columns alone, in all its images the same ones. */
interface Described {
  readonly metadata?: Metadata;
}

/** Where an image lies, and what tells that it has changed. */
export type Facts = Pick<IndexedImage, 'id' | 'path' | 'folder' | 'size' | 'modified' | 'statusChanged'> &
  Described;

export interface StoredImage extends IndexedImage, Described {
  /** [dimensions], of length 1. */
  readonly vector: Float32Array;
}

/** An image that was in the index and could not be read since: what it needs to come back as the one that it was. */
export interface MissingImage extends Pick<IndexedImage, 'id' | 'path' | 'hash'> {
  /** When it was missed first, in milliseconds since 1970. */
  readonly since: number;
  readonly metadata: Metadata;
}

/** An image that could not be read. */
export interface BrokenImage extends Pick<IndexedImage, 'path' | 'size' | 'modified' | 'statusChanged'> {
  readonly reason: string;
}

/** All that an index has of an image. */
export interface KnownImage extends StoredImage {
  readonly metadata: Metadata;
}

/** What a search tells of an image: every further column would cost it a millisecond. */
export interface Hit extends Pick<IndexedImage, 'id' | 'path' | 'folder' | 'hash'> {
  /** Cosine similarity with the query, -1 to 1. */
  readonly score: number;
  readonly metadata: Metadata;
}

export interface StoreQuery {
  /** [dimensions], of length 1. */
  readonly vector: Float32Array;
  /** The most hits. */
  readonly limit: number;
  /** Only images that pass are ranked: there are `limit` hits if so many pass. */
  readonly filter?: Filter;
  /** Compare every vector, whatever it takes. Default: where there is an approximate index, use it. */
  readonly exact?: boolean;
}

export interface StoreStatistics {
  readonly images: number;
  readonly broken: number;
  /** Images that can come back with their ids and metadata. */
  readonly missing: number;
  /** On disk, old versions included; undefined where that cannot be told. */
  readonly bytes: number | undefined;
  /** Images in the approximate index, and those that are compared one by one beside it; undefined without one. */
  readonly approximate: { readonly indexed: number; readonly others: number } | undefined;
}

/**
 * A store of one index. Names are unique as they are, and compared by `nameKey`: what is asked for finds the paths,
 * folders and texts that are canonically equivalent to it. One writer at a time; any number of readers, who see what is
 * committed. Every call commits as a whole or not at all. Methods throw LincirError 'io' or 'network' when the engine cannot read or write.
 */
export interface VectorStore {
  readonly info: StoreInfo;
  /** All columns that a filter can name: those of `filterColumns` and what users have added. */
  columns(): Promise<Columns>;
  /** All images in any order, some thousand at a time. */
  images(): AsyncIterable<readonly IndexedImage[]>;
  /** The images with one of these values, which may be fewer or more than the values. */
  find(column: 'id' | 'path' | 'hash', values: readonly string[]): Promise<KnownImage[]>;
  count(filter?: Filter): Promise<number>;
  /** Images whose ids and paths are new. Metadata that are not given are null. */
  add(pictures: readonly StoredImage[]): Promise<void>;
  /** Gives known images, by id, other contents; metadata that are not given stay. */
  replace(pictures: readonly StoredImage[]): Promise<void>;
  /** Gives known images, by id, other places; vector, hash and metadata that are not given stay. */
  move(facts: readonly Facts[]): Promise<void>;
  /** Sets metadata of known images, whose texts are as `nameKey` gives them. A column that is new is null everywhere else. Every row has all the columns. */
  annotate(
    columns: ReadonlyMap<string, Exclude<ColumnType, 'time'>>,
    rows: readonly { readonly id: string; readonly values: Metadata }[],
  ): Promise<void>;
  remove(ids: readonly string[]): Promise<void>;
  broken(): AsyncIterable<readonly BrokenImage[]>;
  /** Notes broken images, each path once: a later note replaces an earlier one. */
  addBroken(pictures: readonly BrokenImage[]): Promise<void>;
  removeBroken(paths: readonly string[]): Promise<void>;
  /** Images that were taken out and may come back. They are found by no search. */
  missing(): AsyncIterable<readonly MissingImage[]>;
  findMissing(column: 'id' | 'path', values: readonly string[]): Promise<MissingImage[]>;
  /** Notes missing images, each id once: a later note replaces an earlier one. */
  addMissing(pictures: readonly MissingImage[]): Promise<void>;
  removeMissing(ids: readonly string[]): Promise<void>;
  /** The nearest first; equally near ones in the order of their ids. */
  search(query: StoreQuery): Promise<Hit[]>;
  /** Compacts, forgets old versions, builds the approximate index or brings it up to date where that pays. */
  maintain(): Promise<void>;
  statistics(): Promise<StoreStatistics>;
  close(): Promise<void>;
}

/** What every image has that a filter can name. */
export const filterColumns: Columns = new Map<string, ColumnType>([
  ['path', 'string'],
  ['folder', 'string'],
  ['size', 'number'],
  ['modified', 'time'],
]);

/** Where a store keeps what a path and a folder are compared by, if they are not in Unicode's composed form themselves. */
export const comparedNames = { path: 'path_nfc', folder: 'folder_nfc' } as const;

/** Names that no metadata can have. */
export const reservedColumns: ReadonlySet<string> = new Set([
  ...filterColumns.keys(),
  ...Object.values(comparedNames),
  ...['id', 'hash', 'norm', 'statusChanged', 'vector', 'score', '_distance'],
]);

/** A broken image's columns. */
export function brokenOf({ statusChanged, ...picture }: BrokenImage): BrokenImage {
  return { ...picture, ...(statusChanged != null && { statusChanged }) };
}

/** An image's own columns alone. */
export function pictureOf({
  id,
  path,
  folder,
  size,
  modified,
  statusChanged,
  hash,
  norm,
}: IndexedImage): IndexedImage {
  // Engines have null where there is none.
  return { id, path, folder, size, modified, ...(statusChanged != null && { statusChanged }), hash, norm };
}
