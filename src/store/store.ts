/** The contract of a vector store, which keeps images' embeddings and finds the nearest, with any backend. */

import type { Columns, ColumnType, Filter, Scalar } from './filter/filter.ts';
import type { ColumnValues, ValuesOptions } from './values.ts';

/** The newest format of an index that this version reads and writes. */
export const formatVersion = 1;

/** Facts about an index as a whole. */
export interface StoreInfo {
  /** Version of the index's format. */
  readonly version: number;
  /** The model of its embeddings: a name on the hub or a folder. */
  readonly model: string;
  /** The model's fingerprint. Embeddings of another model must not be compared with these. */
  readonly fingerprint: string;
  readonly dimensions: number;
  /** How vectors are stored. */
  readonly precision: Precision;
  /** Ratio to which long images were padded before encoding; null: they were not. */
  readonly targetPad: number | null;
  /** Time of its creation, as ISO 8601. */
  readonly created: string;
}

/**
 * What a process may do with an index. Any number read. Several may `add` at a time: images, notes of broken ones and
 * records of sources. They take nothing out. One may `write`, and while it does, nobody adds.
 */
export type Access = 'read' | 'add' | 'write';

export const precisions = ['float32', 'float16'] as const;
export type Precision = (typeof precisions)[number];

/** An image as an index knows it. */
export interface IndexedImage {
  /** Unique, and kept when the image is renamed or changed. */
  readonly id: string;
  /** Unique: a file's path, `SHARD.tar!/MEMBER` in a shard, or the name of a ready embedding. */
  readonly path: string;
  /** The folder of the path. */
  readonly folder: string;
  /** Bytes. */
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly modified: number;
  /**
   * Time of the file's last change of any kind (ctime), in milliseconds since 1970, which programs cannot set. Absent if
   * it is unknown.
   */
  readonly statusChanged?: number;
  /** Where its bytes begin in its shard; absent of files, and if it is unknown. */
  readonly memberOffset?: number;
  /** SHA-256 of its bytes, in hex. */
  readonly hash: string;
  /** Length of CLIP's embedding, which phi needs; null if only the direction was given. */
  readonly norm: number | null;
}

/** Values of further columns, by name. */
export type Metadata = Readonly<Record<string, Scalar | null>>;

/** Metadata in a call: only known columns, the same ones for all its images. */
interface Described {
  readonly metadata?: Metadata;
}

/** The place of an image, and the facts that tell whether it has changed. */
export type Facts = Omit<IndexedImage, 'hash' | 'norm'> & Described;

export interface StoredImage extends IndexedImage, Described {
  /** [dimensions], of length 1. */
  readonly vector: Float32Array;
}

/** An image that was in the index and can no longer be read, with what it needs to come back. */
export interface MissingImage extends Pick<IndexedImage, 'id' | 'path' | 'hash'> {
  /** Since when it is missing, in milliseconds since 1970. */
  readonly since: number;
  readonly metadata: Metadata;
}

/** An image that could not be read. */
export interface BrokenImage extends Pick<IndexedImage, 'path' | 'size' | 'modified' | 'statusChanged'> {
  readonly reason: string;
}

/** How far the images of a source are in the index: a folder's part or a shard, which workers share. */
export interface SourceRecord {
  /** Unique: the source's path or address. */
  readonly source: string;
  /** Tells whether its contents changed: an ETag, or size and time. */
  readonly version: string;
  readonly state: 'waiting' | 'running' | 'done' | 'failed';
  readonly images: number;
  readonly broken: number;
  /** When the work on this version began, in milliseconds since 1970. */
  readonly began: number;
  /** When this was written, in milliseconds since 1970. */
  readonly updated: number;
  /** Who works on it. */
  readonly worker: string;
  /** Why it failed. */
  readonly reason?: string;
}

/** Everything that an index has about an image. */
export interface KnownImage extends StoredImage {
  readonly metadata: Metadata;
}

/** A search's result. Every further column would cost a millisecond. */
export interface Hit extends Pick<IndexedImage, 'id' | 'path' | 'folder' | 'hash'> {
  /** Cosine similarity with the query, -1 to 1. */
  readonly score: number;
  readonly metadata: Metadata;
}

export interface StoreQuery {
  /** [dimensions], of length 1. */
  readonly vector: Float32Array;
  /** Largest number of hits. */
  readonly limit: number;
  /** Rank only images that pass: there are `limit` hits if so many pass. */
  readonly filter?: Filter;
  /** Compare every vector, however long it takes. Default: use the approximate index if there is one. */
  readonly exact?: boolean;
}

export interface StoreStatistics {
  readonly images: number;
  readonly broken: number;
  /** Images that can come back with their ids and metadata. */
  readonly missing: number;
  /** Bytes on disk, with old versions; undefined if unknown. */
  readonly bytes: number | undefined;
  /** Images in the approximate index, and the others, which are compared one by one; undefined without one. */
  readonly approximate: { readonly indexed: number; readonly others: number } | undefined;
}

/**
 * A store of one index. Names are unique as written, but compared by `nameKey`: requests find canonically equivalent
 * paths, folders and texts. One writer at a time; any number of readers, who see what is committed. A call that changes
 * something and fails may be done in part. The same call again completes it: every change is repeatable by ids and paths.
 * Methods throw LincirError 'io' or 'network' when the backend cannot read or write.
 */
export interface VectorStore {
  readonly info: StoreInfo;
  /** Another number after every change to the images, as far as this reader has noticed it. Quick. */
  version(): Promise<number>;
  /** All columns that a filter can name: those of `filterColumns` and what users have added. */
  columns(): Promise<Columns>;
  /** All images in any order, some thousand at a time. */
  images(): AsyncIterable<readonly IndexedImage[]>;
  /**
   * The images with one of these values, perhaps fewer or more than the values.
   * @param most so many are enough: any number may have the same contents
   */
  find(column: 'id' | 'path' | 'hash', values: readonly string[], most?: number): Promise<KnownImage[]>;
  /** The same without vectors and metadata, for thousands of values. */
  lookUp(column: 'id' | 'path', values: readonly string[]): Promise<IndexedImage[]>;
  count(filter?: Filter): Promise<number>;
  /** The values that one of `columns` has. Of a large store, a part is looked at. */
  values(column: string, options?: ValuesOptions): Promise<ColumnValues>;
  /**
   * Adds images, by ids. One that is there is overwritten, as by `replace`: metadata that is not given stays. In a new one,
   * it is null. Paths must be new, or the image's own.
   */
  add(pictures: readonly StoredImage[]): Promise<void>;
  /** Replaces the contents of known images, by id. Metadata that is not given stays. */
  replace(pictures: readonly StoredImage[]): Promise<void>;
  /** Replaces the places of known images, by id. Vector, hash and metadata that are not given stay. */
  move(facts: readonly Facts[]): Promise<void>;
  /** Sets metadata of known images, with texts in `nameKey`'s form. Every row has all the columns. A new column is null elsewhere. */
  annotate(
    columns: ReadonlyMap<string, Exclude<ColumnType, 'time'>>,
    rows: readonly { readonly id: string; readonly values: Metadata }[],
  ): Promise<void>;
  remove(ids: readonly string[]): Promise<void>;
  broken(): AsyncIterable<readonly BrokenImage[]>;
  /** Notes broken images, one note a path: a later one replaces an earlier one. */
  addBroken(pictures: readonly BrokenImage[]): Promise<void>;
  removeBroken(paths: readonly string[]): Promise<void>;
  /** Images that were taken out and may come back. No search finds them. */
  missing(): AsyncIterable<readonly MissingImage[]>;
  findMissing(column: 'id' | 'path' | 'hash', values: readonly string[]): Promise<MissingImage[]>;
  /** Notes missing images, one note an id: a later one replaces an earlier one. */
  addMissing(pictures: readonly MissingImage[]): Promise<void>;
  removeMissing(ids: readonly string[]): Promise<void>;
  /** How far sources are. A replacement of the index begins without records. */
  sources(): AsyncIterable<readonly SourceRecord[]>;
  findSources(names: readonly string[]): Promise<SourceRecord[]>;
  /** Writes records, one a source: a later one replaces an earlier one. */
  recordSources(records: readonly SourceRecord[]): Promise<void>;
  removeSources(names: readonly string[]): Promise<void>;
  /** Lets other readers find what was written. Until then, some backends show it to this store alone. */
  commit(): Promise<void>;
  /** The nearest first; equally near ones in the order of their ids. */
  search(query: StoreQuery): Promise<Hit[]>;
  /** Compacts, forgets old versions, and builds or updates the approximate index if that pays. */
  maintain(): Promise<void>;
  statistics(): Promise<StoreStatistics>;
  /** Only of a store that serves several machines. */
  readonly shared?: SharedStore;
  close(): Promise<void>;
}

/** What servers of one index share, so that a client may ask any of them. */
export interface SharedStore {
  /** Why searches cannot be answered now; undefined if they can. Quick. */
  readiness(): Promise<string | undefined>;
  /** Keeps a text for a day. A key has up to 64 letters, digits, dashes and underscores. */
  put(key: string, text: string): Promise<void>;
  get(key: string): Promise<string | undefined>;
}

/** Columns that every image has, for filters. */
export const filterColumns: Columns = new Map<string, ColumnType>([
  ['path', 'string'],
  ['folder', 'string'],
  ['size', 'number'],
  ['modified', 'time'],
]);

/** Columns with the compared forms of path and folder, if these are not in Unicode's composed form. */
export const comparedNames = { path: 'path_nfc', folder: 'folder_nfc' } as const;

/** Names that metadata cannot have. */
export const reservedColumns: ReadonlySet<string> = new Set([
  ...filterColumns.keys(),
  ...Object.values(comparedNames),
  ...['id', 'hash', 'norm', 'statusChanged', 'memberOffset', 'vector', 'score', '_distance'],
]);

/** A broken image's columns. */
export function brokenOf({ statusChanged, ...picture }: BrokenImage): BrokenImage {
  return { ...picture, ...(statusChanged != null && { statusChanged }) };
}

/** A source's columns. */
export function recordOfSource({ reason, ...record }: SourceRecord): SourceRecord {
  return { ...record, ...(reason != null && { reason }) };
}

/** Only an image's own columns. */
export function pictureOf({
  id,
  path,
  folder,
  size,
  modified,
  statusChanged,
  memberOffset,
  hash,
  norm,
}: IndexedImage): IndexedImage {
  // Backends have null for a missing value.
  const known = {
    ...(statusChanged != null && { statusChanged }),
    ...(memberOffset != null && { memberOffset }),
  };
  return { id, path, folder, size, modified, ...known, hash, norm };
}
