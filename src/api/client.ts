/** The typed client of API v1. Needs `fetch` and nothing else, so it runs in Node and in browsers. */

import type {
  ComposeAnswer,
  EmbedAnswer,
  IndexAnswer,
  IndexedImage,
  IndexingAnswer,
  ModelAnswer,
  Problem,
  SearchAnswer,
  ServerAnswer,
  Upload,
  ValuesAnswer,
} from './answers.ts';
import type {
  ComposeRequest,
  EmbedRequest,
  ImageReference,
  ImagesRequest,
  IndexingRequest,
  SearchRequest,
  ValuesRequest,
} from './schemas.ts';

export type {
  ColumnFacts,
  FoundImage,
  IndexingJob,
} from './answers.ts';
export type {
  ComposeAnswer,
  ComposeRequest,
  EmbedAnswer,
  EmbedRequest,
  ImageReference,
  ImagesRequest,
  IndexAnswer,
  IndexedImage,
  IndexingAnswer,
  IndexingRequest,
  ModelAnswer,
  Problem,
  SearchAnswer,
  SearchRequest,
  ServerAnswer,
  Upload,
  ValuesAnswer,
  ValuesRequest,
};

/** The platform's own type of this name: the declarations here need neither the DOM's nor Node's. */
type Native<Name extends string> = typeof globalThis extends { [key in Name]: { prototype: infer Type } }
  ? Type
  : never;

export type ImageData = Native<'Blob'> | Uint8Array<ArrayBuffer> | ArrayBuffer;

/** Of `fetch`, what the client uses. */
export type Fetch = (
  address: string,
  init: {
    readonly method: string;
    readonly headers: Record<string, string>;
    readonly body?: string | ImageData;
    readonly signal?: Native<'AbortSignal'>;
  },
) => Promise<{
  readonly ok: boolean;
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  json(): Promise<unknown>;
  arrayBuffer(): Promise<ArrayBuffer>;
}>;

export interface ClientOptions {
  /** Where the server is: `http://localhost:5462`. In a page, it may be relative. */
  readonly url: string;
  /** The key, if the server wants one. Pages sign in instead. */
  readonly key?: string;
  /** Default: the global one. */
  readonly fetch?: Fetch;
}

export interface CallOptions {
  /** Ends the request. The call throws the signal's reason. */
  readonly signal?: Native<'AbortSignal'>;
}

export interface UploadOptions extends CallOptions {
  /** The index whose model is to encode it. Default: the first one. */
  readonly index?: string;
  /** What people call it. */
  readonly name?: string;
}

/** Every failure of a request: what the server says of it, or why there is no answer. */
export class LincirProblem extends Error {
  /** HTTP's; 0 if there was no answer. */
  readonly status: number;
  /** `bad-argument`, `not-found`, `busy`, …; `unreachable` if there was no answer. */
  readonly code: string;
  /** What is at fault. */
  readonly subject: string | undefined;
  readonly expected: string | undefined;
  readonly found: string | undefined;
  /** What you can do. */
  readonly todo: string | undefined;
  /** Seconds after which trying again makes sense. */
  readonly retryAfter: number | undefined;

  constructor(problem: Partial<Problem>, status: number, retryAfter?: number, cause?: unknown) {
    super(problem.detail ?? `the server answered with status ${status}`, { cause });
    this.name = 'LincirProblem';
    this.status = status;
    this.code = problem.code ?? 'unknown';
    this.subject = problem.subject;
    this.expected = problem.expected;
    this.found = problem.found;
    this.todo = problem.todo;
    this.retryAfter = retryAfter;
  }
}

/** All methods throw `LincirProblem`, or the signal's reason. */
export type Client = ReturnType<typeof createClient>;

export function createClient({ url, key, fetch: given }: ClientOptions) {
  const root = `${url.replace(/\/+$/, '')}/api/v1`;
  const send: Fetch = given ?? ((address, init) => globalThis.fetch(address, init));
  const inIndex = (index: string, rest: string) => `/indexes/${encodeURIComponent(index)}${rest}`;

  const request = async (
    path: string,
    { signal }: CallOptions,
    { method = 'GET', body, type, key: one = key }: Sent = {},
  ) => {
    const headers = {
      ...(type !== undefined && { 'content-type': type }),
      ...(one !== undefined && { authorization: `Bearer ${one}` }),
    };
    const init = { method, headers, ...(body !== undefined && { body }), ...(signal && { signal }) };
    let response: Awaited<ReturnType<Fetch>>;
    try {
      response = await send(`${root}${path}`, init);
    } catch (cause) {
      signal?.throwIfAborted();
      const todo = 'look whether it runs, and whether the address is right';
      throw new LincirProblem(
        { code: 'unreachable', detail: `the server does not answer; ${todo}`, todo },
        ...([0, undefined, cause] as const),
      );
    }
    if (response.ok) return response;
    const problem = await response.json().catch(() => ({}));
    const retryAfter = Number(response.headers.get('retry-after') ?? Number.NaN);
    throw new LincirProblem(
      typeof problem === 'object' && problem !== null ? problem : {},
      response.status,
      Number.isFinite(retryAfter) ? retryAfter : undefined,
    );
  };
  const get = async <Answer>(path: string, options: CallOptions = {}) =>
    (await (await request(path, options)).json()) as Answer;
  const post = async <Answer>(path: string, body: unknown, options: CallOptions = {}) => {
    const sent = { method: 'POST', body: JSON.stringify(body), type: 'application/json' };
    return (await (await request(path, options, sent)).json()) as Answer;
  };
  const bytes = async (path: string, options: CallOptions = {}) =>
    new Uint8Array(await (await request(path, options)).arrayBuffer());
  const thumbnailPath = (index: string, id: string, size?: number) =>
    inIndex(index, `/images/${id}/thumbnail${queryString({ size })}`);

  return {
    /** What the server has: its indexes and what it allows. */
    server: (options?: CallOptions) => get<ServerAnswer>('', options),
    index: (name: string, options?: CallOptions) => get<IndexAnswer>(inIndex(name, ''), options),
    models: (options?: CallOptions) => get<ModelAnswer[]>('/models', options),
    search: (query: SearchRequest, options?: CallOptions) => post<SearchAnswer>('/search', query, options),
    /** The query's vector alone. */
    compose: (query: ComposeRequest, options?: CallOptions) =>
      post<ComposeAnswer>('/compose', query, options),
    embed: (query: EmbedRequest, options?: CallOptions) => post<EmbedAnswer>('/embed', query, options),
    /** Sends an image, to use its handle in queries. */
    async upload(image: ImageData, { index, name, ...options }: UploadOptions = {}): Promise<Upload> {
      const sent = { method: 'POST', body: image, type: 'application/octet-stream' };
      const response = await request(`/uploads${queryString({ index, name })}`, options, sent);
      return (await response.json()) as Upload;
    },
    /** What the index knows of images. Those that it does not have are left out. */
    async images(index: string, query: ImagesRequest, options?: CallOptions): Promise<IndexedImage[]> {
      const path = inIndex(index, '/images');
      return (await post<{ images: IndexedImage[] }>(path, query, options)).images;
    },
    image: (index: string, id: string, options?: CallOptions) =>
      get<IndexedImage>(inIndex(index, `/images/${id}`), options),
    /** Values of a column, for suggestions. */
    values: (index: string, column: string, query: ValuesRequest = {}, options?: CallOptions) =>
      get<ValuesAnswer>(
        inIndex(index, `/columns/${encodeURIComponent(column)}/values${queryString(query)}`),
        options,
      ),
    /** For `src` of pictures. */
    thumbnailUrl: (index: string, id: string, size?: number) => `${root}${thumbnailPath(index, id, size)}`,
    originalUrl: (index: string, id: string) => `${root}${inIndex(index, `/images/${id}/original`)}`,
    uploadThumbnailUrl: (upload: string) => `${root}/uploads/${upload}/thumbnail`,
    /** The bytes of an encoded image, for programs that have a key. */
    thumbnail: (index: string, id: string, size?: number, options?: CallOptions) =>
      bytes(thumbnailPath(index, id, size), options),
    original: (index: string, id: string, options?: CallOptions) =>
      bytes(inIndex(index, `/images/${id}/original`), options),
    /** Which folders can be indexed, and how far indexing is. Only if `server()` allows it. */
    indexing: (options?: CallOptions) => get<IndexingAnswer>('/indexing', options),
    startIndexing: (asked: IndexingRequest = {}, options?: CallOptions) =>
      post<IndexingAnswer>('/indexing', asked, options),
    async stopIndexing(options: CallOptions = {}): Promise<IndexingAnswer> {
      return (await (await request('/indexing', options, { method: 'DELETE' })).json()) as IndexingAnswer;
    },
    /** In a page of the server: gets a cookie for the key, which pictures need, too. */
    async signIn(secret: string, options: CallOptions = {}): Promise<void> {
      await request('/session', options, { method: 'POST', key: secret });
    },
    async signOut(options: CallOptions = {}): Promise<void> {
      await request('/session', options, { method: 'DELETE' });
    },
  };
}

interface Sent {
  readonly method?: string;
  readonly body?: string | ImageData;
  readonly type?: string;
  readonly key?: string;
}

function queryString(values: Readonly<Record<string, string | number | undefined>>): string {
  const pairs = Object.entries(values)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${encodeURIComponent(value!)}`);
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
}
