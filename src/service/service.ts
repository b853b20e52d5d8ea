/** What answers queries about served indexes, whoever asks: HTTP, assistants, the page. */

import type {
  ComposeAnswer,
  ComposeRequest,
  EmbedAnswer,
  EmbedRequest,
  ImagesRequest,
  IndexAnswer,
  IndexedImage,
  ModelAnswer,
  SearchAnswer,
  SearchRequest,
  Upload,
  ValuesAnswer,
  ValuesRequest,
} from '../api/index.ts';

/** How long an answer is worth something. */
export interface RequestScope {
  /** Aborted when the client has gone. */
  readonly signal: AbortSignal;
  /** The time, as `performance.now()` counts it, after which nobody waits for the answer. */
  readonly deadline: number;
}

/** Bytes to send, with what HTTP says of them. */
export interface ServedFile {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** A media type that a browser shows, or `application/octet-stream`. */
  readonly type: string;
  /** The file's own name, without its folder. */
  readonly name: string;
  /** Changes with the bytes. */
  readonly etag: string;
}

/**
 * Answers for several indexes by name. Every method throws LincirError: 'bad-argument' for a request that cannot be
 * answered, 'not-found' for an index, image or upload that is not there, 'bad-file' for an image that cannot be read,
 * 'busy' (with `retryAfter` seconds) when it cannot answer by the deadline; and the signal's reason.
 */
export interface SearchService {
  /** The default one first. */
  readonly names: readonly string[];
  /** Whether queries may name images by their web address. */
  readonly allowsImageUrls: boolean;
  describe(index?: string): Promise<IndexAnswer>;
  models(): Promise<readonly ModelAnswer[]>;
  search(request: SearchRequest, scope: RequestScope): Promise<SearchAnswer>;
  compose(request: ComposeRequest, scope: RequestScope): Promise<ComposeAnswer>;
  embed(request: EmbedRequest, scope: RequestScope): Promise<EmbedAnswer>;
  /** Takes an image for later queries: encodes it, and keeps its embedding and a thumbnail, not its bytes. */
  upload(
    index: string | undefined,
    bytes: Uint8Array<ArrayBuffer>,
    name: string,
    scope: RequestScope,
  ): Promise<Upload>;
  uploadThumbnail(upload: string): Promise<ServedFile>;
  images(index: string | undefined, request: ImagesRequest): Promise<readonly IndexedImage[]>;
  /** The image scaled down to fit into a square of `side` pixels. */
  thumbnail(index: string | undefined, id: string, side: number, scope: RequestScope): Promise<ServedFile>;
  /** The image's own bytes, if it still lies in a folder of the index. Drawings (SVG) come as pixels. */
  original(index: string | undefined, id: string, scope: RequestScope): Promise<ServedFile>;
  /** Values that a column has, for suggestions. */
  values(index: string | undefined, column: string, request: ValuesRequest): Promise<ValuesAnswer>;
  /** Why it cannot answer now; undefined if it can. */
  readiness(): Promise<string | undefined>;
  /** Finishes what runs, refuses what comes, and frees everything. */
  close(): Promise<void>;
}
