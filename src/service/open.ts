/** Opens the service that answers queries about served indexes. */

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
import { servedMethods } from '../api/index.ts';
import { asEncoded, methods, type Query } from '../composition/index.ts';
import { LincirError, normalizeRows, quoted } from '../core/index.ts';
import { type ComposedRequest, composeRequest, phiAdvice } from './composing.ts';
import { ServedImages } from './files/served-images.ts';
import { noImage, RequestImages } from './images.ts';
import { busy, inTime } from './lane.ts';
import { Lanes } from './lanes.ts';
import { shownName } from './names.ts';
import type { ServiceOptions } from './options.ts';
import { foundAnswers, imageAnswer } from './results.ts';
import { type QueryModel, ServedIndex } from './served-index.ts';
import type { RequestScope, SearchService, ServedFile } from './service.ts';
import type { UploadedImage } from './uploads.ts';

const defaultLimit = 20;
/** Hits further down are never read. */
const deepestHit = 100_000;
/** Of work that takes no time to speak of, or that nobody waits for. */
const patient: RequestScope = { signal: new AbortController().signal, deadline: Infinity };

/**
 * Opens all indexes. Models come into memory when they are first needed.
 * @throws what `openIndex`, `loadClip` and `loadPhi` throw
 */
export async function openService(options: ServiceOptions): Promise<SearchService> {
  const served: ServedIndex[] = [];
  try {
    for (const one of options.indexes) served.push(await ServedIndex.open(one, options));
    return new Service(served, options);
  } catch (error) {
    for (const one of served) await one.close();
    throw error;
  }
}

class Service implements SearchService {
  readonly names: readonly string[];
  readonly allowsImageUrls: boolean;
  readonly #served: ReadonlyMap<string, ServedIndex>;
  readonly #options: ServiceOptions;
  readonly #lanes: Lanes;
  readonly #images: RequestImages;
  readonly #files = new ServedImages();
  /** Requests that are being answered. */
  readonly #active = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;

  constructor(served: readonly ServedIndex[], options: ServiceOptions) {
    this.#served = new Map(served.map((one) => [one.name, one]));
    this.#options = options;
    this.#lanes = new Lanes(options);
    this.names = [...this.#served.keys()];
    this.allowsImageUrls = options.allowImageUrls ?? true;
    this.#images = new RequestImages(this.#lanes, this.allowsImageUrls, (text) =>
      options.onEvent?.({ kind: 'note', text }),
    );
    if (options.preload) for (const { model } of served) this.#preload(model);
    for (const one of served) one.onRebuilt = () => this.#freeOldModels();
  }

  async describe(name?: string): Promise<IndexAnswer> {
    return await this.#answer(name, patient, async (served, queryModel) => {
      const { index, changes } = served;
      const { images, broken, missing, columns } = await index.statistics();
      const { dimensions, created } = index.info;
      const model = shownName(index.info.model);
      const { phi } = queryModel;
      return {
        ...{ name: served.name, images, broken, missing, model, dimensions, created, changes },
        columns: [...columns].map(([column, type]) => ({ name: column, type: type as 'string' })),
        ...(phi && { phi: shownName(phi.name) }),
        methods: servedMethods.filter((method) => phi || methods[method].pseudoTokens === undefined),
        ...(phi === undefined && { advice: phiAdvice(queryModel, model) }),
      };
    });
  }

  async models(): Promise<readonly ModelAnswer[]> {
    const groups = Map.groupBy(this.#served.values(), ({ model }) =>
      JSON.stringify([model.toRun.fingerprint, model.phi?.name]),
    );
    return [...groups.values()].map((group) => {
      const [{ model, index }] = group as [ServedIndex];
      const { toRun, phi } = model;
      return {
        ...{ name: shownName(toRun.name), fingerprint: toRun.fingerprint, dimensions: index.info.dimensions },
        indexes: group.map(({ name }) => name),
        loaded: this.#lanes.models.has(toRun.fingerprint),
        ...(phi && { phi: shownName(phi.name) }),
      };
    });
  }

  async search(request: SearchRequest, scope: RequestScope): Promise<SearchAnswer> {
    this.#expectRoom(request, scope);
    return await this.#answer(request.index, scope, async (served, model) => {
      const composed = await this.#compose(request, served, model, scope);
      const { limit = defaultLimit, offset = 0, fields, includeReferences = false } = request;
      const query = { vector: composed.vector, fingerprint: model.toRun.fingerprint } as Query;
      const begin = performance.now();
      const hits = await this.#lanes.search(
        () =>
          served.index.search(query, {
            top: Math.min(offset + limit + 1, deepestHit),
            where: request.filter,
            minScore: request.minScore,
            exact: request.exact,
            unique: request.unique,
            ...(typeof request.unique === 'number' && { signal: inTime(scope) }),
            exclude: includeReferences ? [] : composed.references.map(({ hash }) => hash),
          }),
        scope,
      );
      const page = hits.slice(offset, offset + limit);
      const vectors = fields?.includes('vector') ? await vectorsOf(served, page) : undefined;
      const known = vectors ? page.map((hit) => ({ ...hit, vector: vectors.get(hit.id) })) : page;
      const images = await foundAnswers(known, fields);
      const timings = { ...composed.timings, search: performance.now() - begin };
      this.#tellStages(timings);
      const hasMore = hits.length > offset + limit;
      return { ...factsOf(composed, served), timings, images, offset, limit, hasMore };
    });
  }

  async compose(request: ComposeRequest, scope: RequestScope): Promise<ComposeAnswer> {
    this.#expectRoom(request, scope);
    return await this.#answer(request.index, scope, async (served, model) => {
      const composed = await this.#compose(request, served, model, scope);
      this.#tellStages(composed.timings);
      const { vector, timings } = composed;
      return {
        ...factsOf(composed, served),
        timings,
        vector: [...vector],
        model: shownName(model.toRun.name),
      };
    });
  }

  async embed(request: EmbedRequest, scope: RequestScope): Promise<EmbedAnswer> {
    const { normalize = true, truncate = false, texts, images } = request;
    return await this.#answer(request.index, scope, async (served, { toRun, ...model }) => {
      const { tokenizer } = model.clip;
      if (!truncate) for (const text of texts ?? []) expectShort(text, tokenizer);
      const resolved = images?.map((image) =>
        this.#images.resolve(image, served, { toRun, ...model }, scope),
      );
      const written = texts && this.#lanes.texts(toRun, texts, scope);
      const numbers = (embedding: Float32Array) => {
        if (normalize) normalizeRows(embedding, embedding.length);
        return [...embedding];
      };
      const [ofTexts, ofImages] = await Promise.all([written, resolved && Promise.all(resolved)]);
      return {
        ...{ index: served.name, model: shownName(toRun.name), dimensions: served.index.info.dimensions },
        ...(ofTexts && { texts: ofTexts.map(numbers) }),
        ...(ofImages && { images: ofImages.map((image) => numbers(asEncoded(image, false))) }),
      };
    });
  }

  async upload(
    name: string | undefined,
    bytes: Uint8Array<ArrayBuffer>,
    fileName: string,
    scope: RequestScope,
  ): Promise<Upload> {
    const image = { bytes, name: fileName };
    return await this.#answer(name, scope, (served, model) =>
      this.#images.upload(image, served, model, scope),
    );
  }

  async uploadThumbnail(upload: string): Promise<ServedFile> {
    const { thumbnail, name, hash: digest } = await this.#uploaded(upload);
    if (thumbnail === undefined) throw noThumbnail(name);
    return { bytes: thumbnail, type: 'image/jpeg', name, etag: digest };
  }

  async images(name: string | undefined, request: ImagesRequest): Promise<readonly IndexedImage[]> {
    return await this.#answer(name, patient, async (served) => {
      const found = await Promise.all(request.ids.map((id) => served.find(id)));
      return found.flatMap((image) => (image ? [imageAnswer(image, request.fields)] : []));
    });
  }

  async thumbnail(
    name: string | undefined,
    id: string,
    side: number,
    scope: RequestScope,
  ): Promise<ServedFile> {
    const served = this.#of(name);
    return await this.#doing(async () =>
      this.#files.thumbnail(await foundIn(served, id), served.index, side, scope),
    );
  }

  async original(name: string | undefined, id: string, scope: RequestScope): Promise<ServedFile> {
    const served = this.#of(name);
    return await this.#doing(async () =>
      this.#files.original(await foundIn(served, id), served.index, scope),
    );
  }

  async values(name: string | undefined, column: string, request: ValuesRequest): Promise<ValuesAnswer> {
    const { values, ...facts } = await this.#answer(name, patient, ({ index }) =>
      index.values(column, request),
    );
    return { values: [...values], ...facts };
  }

  async readiness(): Promise<string | undefined> {
    if (this.#closing) return 'the server is closing';
    for (const served of this.#served.values()) {
      const problem = await served.readiness().catch((error: Error) => error.message);
      if (problem !== undefined) return `index ${served.name}: ${problem}`;
    }
    return undefined;
  }

  async close(): Promise<void> {
    this.#closing ??= (async () => {
      while (this.#active.size > 0) await Promise.allSettled(this.#active);
      await this.#files.close();
      await this.#lanes.close();
      for (const served of this.#served.values()) await served.close();
    })();
    await this.#closing;
  }

  /** The upload of a handle, whichever index it was for. */
  async #uploaded(handle: string): Promise<UploadedImage> {
    const { uploads } = this.#images;
    for (const { index } of this.#served.values()) {
      const found = await uploads.find(handle, index.shared).catch((error: unknown) => {
        if (error instanceof LincirError && error.code === 'not-found') return undefined;
        throw error;
      });
      if (found) return found;
    }
    return uploads.get(handle);
  }

  #of(name: string | undefined): ServedIndex {
    const [first] = this.names;
    if (first === undefined) {
      const todo = 'start it with one';
      throw new LincirError('not-found', {
        subject: 'the server',
        expected: 'an index',
        found: 'none',
        todo,
      });
    }
    const served = this.#served.get(name ?? first);
    if (served) return served;
    throw new LincirError('not-found', {
      subject: `index ${quoted(name)}`,
      expected: `one of ${this.names.join(', ')}`,
      found: 'no index of that name',
    });
  }

  /** Answers a request to an index, unless the service is closing. */
  async #answer<Result>(
    name: string | undefined,
    scope: RequestScope,
    work: (served: ServedIndex, model: QueryModel) => Promise<Result>,
  ): Promise<Result> {
    const served = this.#of(name);
    return await this.#doing(() => served.answer(scope, (model) => work(served, model)));
  }

  /** Encodes a text that nobody asked for. Whatever is wrong, the first query tells. */
  #preload({ toRun: model }: QueryModel): void {
    this.#doing(() => this.#lanes.text({ kind: 'text', model, text: '' }, patient)).catch(() => {});
  }

  /** Words have to be encoded. */
  #expectRoom({ text, without }: ComposeRequest, scope: RequestScope): void {
    if (text !== undefined || without !== undefined) this.#lanes.expectRoom(scope);
  }

  /** Work that `close` waits for. */
  async #doing<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#closing) throw busy(5);
    const doing = work();
    this.#active.add(doing);
    try {
      return await doing;
    } finally {
      this.#active.delete(doing);
    }
  }

  async #compose(
    request: ComposeRequest,
    served: ServedIndex,
    model: QueryModel,
    scope: RequestScope,
  ): Promise<ComposedRequest> {
    const resolve = (image: NonNullable<ComposeRequest['images']>[number]) =>
      this.#images.resolve(image, served, model, scope);
    return await composeRequest(request, { model, lanes: this.#lanes, resolve, scope });
  }

  #freeOldModels(): void {
    const needed = [...this.#served.values()].map(({ model }) => model.toRun.fingerprint);
    this.#lanes.models.keepOnly(new Set(needed));
  }

  #tellStages(timings: Readonly<Record<string, number>>): void {
    for (const [stage, milliseconds] of Object.entries(timings))
      this.#options.onEvent?.({ kind: 'stage', stage, milliseconds });
  }
}

/** The image with an id. Throws LincirError 'not-found'. */
async function foundIn(served: ServedIndex, id: string) {
  const found = await served.find(id);
  if (found) return found;
  throw noImage(id);
}

function factsOf({ method, prompt, weight }: ComposedRequest, { name: index }: ServedIndex) {
  return {
    ...{ index, method },
    ...(prompt !== undefined && { prompt }),
    ...(weight !== undefined && { weight }),
  };
}

async function vectorsOf(
  served: ServedIndex,
  hits: readonly { readonly id: string }[],
): Promise<ReadonlyMap<string, Float32Array>> {
  const found = await Promise.all(hits.map(({ id }) => served.find(id)));
  return new Map(found.flatMap((image) => (image ? [[image.id, image.vector] as const] : [])));
}

function expectShort(text: string, tokenizer: QueryModel['clip']['tokenizer']): void {
  if (!tokenizer.encode(text).truncated) return;
  const expected = `at most ${tokenizer.maximum} tokens`;
  const subject = `the text ${quoted(text)}`;
  throw new LincirError('bad-argument', { subject, expected, found: 'more', todo: 'shorten it' });
}

function noThumbnail(name: string): LincirError {
  return new LincirError('not-found', {
    subject: quoted(name),
    expected: 'an image whose file can be read',
    found: 'none',
  });
}
