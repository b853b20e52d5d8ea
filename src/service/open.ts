/** Opens the service that answers queries about served indexes. */

import { hash } from 'node:crypto';
import type {
  ComposeAnswer,
  ComposeRequest,
  EmbedAnswer,
  EmbedRequest,
  ImageReference,
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
import { type Clip, loadClip, preprocessImage } from '../clip/index.ts';
import { compose, type EmbeddedImage, methodOf, methods, type Query } from '../composition/index.ts';
import { LincirError, normalizeRows, quoted } from '../core/index.ts';
import { phiPresetFor } from '../hub/index.ts';
import { type ImageIndex, openIndex } from '../indexing/index.ts';
import { loadPhi, type Phi } from '../phi/index.ts';
import { thumbnailOf } from '../pictures/index.ts';
import { ServedImages } from './files/served-images.ts';
import type { IndexToServe, ServiceOptions } from './options.ts';
import { bytesOfReference } from './references.ts';
import { foundAnswer, imageAnswer } from './results.ts';
import type { RequestScope, SearchService, ServedFile } from './service.ts';
import { Uploads } from './uploads.ts';

/** Pixels of an upload's thumbnail. */
const thumbnailSide = 320;
/** Pixels of a decoded image of a request: fewer than of one's own files. */
const mostPixels = 50_000_000;
const defaultLimit = 20;

/** An index with its model and phi. */
interface Served {
  readonly name: string;
  readonly index: ImageIndex;
  readonly clip: Clip;
  readonly phiName: string | undefined;
  readonly phi: Phi | undefined;
}

/** A query's image: its embedding, and what the index knows of it. */
interface ResolvedImage {
  readonly image: EmbeddedImage;
  readonly hash: string;
  readonly id?: string;
}

/**
 * Opens all indexes.
 * @throws what `openIndex`, `loadClip` and `loadPhi` throw
 */
export async function openService(options: ServiceOptions): Promise<SearchService> {
  const served: Served[] = [];
  for (const one of options.indexes) served.push(await opened(one, options));
  return new Service(served, options);
}

async function opened({ name, uri, phi: phiName }: IndexToServe, options: ServiceOptions): Promise<Served> {
  const { device, threads } = options;
  const index = await openIndex(uri);
  const clip = await loadClip(options.model ?? index.info.model, {
    ...{ device, threads },
    targetPad: index.info.targetPad ?? undefined,
    maxPixels: mostPixels,
  });
  index.expectModel(clip);
  const phi = phiName === undefined ? undefined : await loadPhi(phiName, { clip, device, threads });
  return { name, index, clip, phiName, phi };
}

class Service implements SearchService {
  readonly names: readonly string[];
  readonly allowsImageUrls: boolean;
  readonly #served: ReadonlyMap<string, Served>;
  readonly #uploads = new Uploads();
  readonly #files = new ServedImages();

  constructor(served: readonly Served[], { allowImageUrls = true }: ServiceOptions) {
    this.#served = new Map(served.map((one) => [one.name, one]));
    this.names = [...this.#served.keys()];
    this.allowsImageUrls = allowImageUrls;
  }

  async describe(name?: string): Promise<IndexAnswer> {
    const { index, clip, phi, phiName, ...served } = this.#of(name);
    const { images, broken, missing, columns } = await index.statistics();
    const { model, dimensions, created } = index.info;
    const preset = phiPresetFor(clip.id);
    return {
      ...{ name: served.name, images, broken, missing, model, dimensions, created, changes: images },
      columns: [...columns].map(([column, type]) => ({ name: column, type: type as 'string' })),
      ...(phiName !== undefined && { phi: phiName }),
      methods: servedMethods.filter((method) => phi || methods[method].pseudoTokens === undefined),
      ...(phi === undefined && {
        advice: `Start the server with a phi for ${index.info.model}${preset ? `, such as ${preset.name}` : ''}.`,
      }),
    };
  }

  async models(): Promise<readonly ModelAnswer[]> {
    return [...this.#served.values()].map(({ name, index, clip, phiName }) => ({
      name: index.info.model,
      fingerprint: clip.fingerprint,
      dimensions: index.info.dimensions,
      indexes: [name],
      loaded: true,
      ...(phiName !== undefined && { phi: phiName }),
    }));
  }

  async search(request: SearchRequest, scope: RequestScope): Promise<SearchAnswer> {
    const served = this.#of(request.index);
    const { query, references, ...composed } = await this.#compose(served, request, scope);
    const { limit = defaultLimit, offset = 0, fields, includeReferences = false } = request;
    const begin = performance.now();
    const hits = await served.index.search(query, {
      top: offset + limit + 1,
      where: request.filter,
      minScore: request.minScore,
      exact: request.exact,
      unique: request.unique,
      exclude: includeReferences ? [] : references.map((reference) => reference.hash),
    });
    const page = hits.slice(offset, offset + limit);
    const vectors = fields?.includes('vector') ? await this.#vectors(served, page) : undefined;
    const found = page.map((hit) => foundAnswer({ ...hit, vector: vectors?.get(hit.id) }, fields));
    const timings = { ...composed.timings, search: performance.now() - begin };
    return { ...composed, timings, images: found, offset, limit, hasMore: hits.length > offset + limit };
  }

  async compose(request: ComposeRequest, scope: RequestScope): Promise<ComposeAnswer> {
    const served = this.#of(request.index);
    const { query, references: _, ...composed } = await this.#compose(served, request, scope);
    return { ...composed, vector: [...query.vector], model: served.index.info.model };
  }

  async embed(request: EmbedRequest, scope: RequestScope): Promise<EmbedAnswer> {
    const { normalize = true, truncate = false, texts, images } = request;
    const served = this.#of(request.index);
    const { name, index, clip } = served;
    const { dimensions, model } = index.info;
    const written = texts && (await clip.encodeTexts(texts, { normalize, strict: !truncate }));
    const found = images && (await Promise.all(images.map((image) => this.#resolve(served, image, scope))));
    return {
      ...{ index: name, model, dimensions },
      ...(written && { texts: rowsOf(written.data, dimensions) }),
      ...(found && {
        images: found.map(({ image: { vector, norm } }) => {
          const embedding = vector.map((value) => value * (norm ?? 1));
          if (normalize) normalizeRows(embedding, dimensions);
          return [...embedding];
        }),
      }),
    };
  }

  async upload(
    name: string | undefined,
    bytes: Uint8Array<ArrayBuffer>,
    fileName: string,
    scope: RequestScope,
  ): Promise<Upload> {
    const served = this.#of(name);
    const { clip, index } = served;
    let size = { width: 0, height: 0 };
    const pixels = await preprocessImage(bytes, clip.preprocessing, {
      targetPad: clip.targetPad ?? undefined,
      maxPixels: mostPixels,
      name: fileName,
      onSize: (extent) => {
        size = extent;
      },
    });
    scope.signal.throwIfAborted();
    const embedding = (await clip.encodePixels(pixels)).data;
    const digest = hash('sha256', bytes);
    const { id } = await index.reference(bytes);
    const thumbnail = (await thumbnailOf(bytes, thumbnailSide)) as Uint8Array<ArrayBuffer> | undefined;
    const { fingerprint } = clip;
    const upload = this.#uploads.add({ name: fileName, hash: digest, embedding, fingerprint, thumbnail });
    return { upload, name: fileName, ...size, ...(id !== undefined && { id }) };
  }

  async uploadThumbnail(upload: string): Promise<ServedFile> {
    const { thumbnail, name, hash: digest } = this.#uploads.get(upload);
    if (thumbnail === undefined) throw noThumbnail(name);
    return { bytes: thumbnail, type: 'image/jpeg', name, etag: digest };
  }

  async images(name: string | undefined, request: ImagesRequest): Promise<readonly IndexedImage[]> {
    const { index } = this.#of(name);
    const found = await Promise.all(request.ids.map((id) => index.find(id)));
    return found.flatMap((image) => (image ? [imageAnswer(image, request.fields)] : []));
  }

  async thumbnail(
    name: string | undefined,
    id: string,
    side: number,
    scope: RequestScope,
  ): Promise<ServedFile> {
    return await this.#files.thumbnail(await this.#find(name, id), this.#of(name).index, side, scope);
  }

  async original(name: string | undefined, id: string, scope: RequestScope): Promise<ServedFile> {
    return await this.#files.original(await this.#find(name, id), this.#of(name).index, scope);
  }

  async values(name: string | undefined, column: string, request: ValuesRequest): Promise<ValuesAnswer> {
    const { values, ...facts } = await this.#of(name).index.values(column, request);
    return { values: [...values], ...facts };
  }

  async readiness(): Promise<string | undefined> {
    for (const { name, index } of this.#served.values()) {
      const problem = await index.statistics().then(
        () => undefined,
        (error: Error) => error.message,
      );
      if (problem !== undefined) return `index ${name}: ${problem}`;
    }
    return undefined;
  }

  async close(): Promise<void> {
    await this.#files.close();
    for (const { index, clip, phi } of this.#served.values()) {
      await phi?.dispose();
      await clip.dispose();
      await index.close();
    }
  }

  #of(name: string | undefined): Served {
    const served = this.#served.get(name ?? this.names[0]!);
    if (served) return served;
    throw new LincirError('not-found', {
      subject: `index ${quoted(name)}`,
      expected: `one of ${this.names.join(', ')}`,
      found: 'no index of that name',
    });
  }

  async #find(name: string | undefined, id: string) {
    const found = await this.#of(name).index.find(id);
    if (found?.id === id) return found;
    throw noImage(id);
  }

  async #vectors({ index }: Served, hits: readonly { readonly id: string }[]) {
    const found = await Promise.all(hits.map(({ id }) => index.find(id)));
    return new Map(found.flatMap((image) => (image ? [[image.id, image.vector] as const] : [])));
  }

  async #compose(served: Served, request: ComposeRequest, scope: RequestScope) {
    const { clip, phi } = served;
    const { images: named = [], vector: ready, ...options } = request;
    const begin = performance.now();
    const references = await Promise.all(named.map((image) => this.#resolve(served, image, scope)));
    const milliseconds = performance.now() - begin;
    scope.signal.throwIfAborted();
    if (ready) {
      const vector = Float32Array.from(ready);
      normalizeRows(vector, vector.length);
      const query = { vector, fingerprint: clip.fingerprint } as Query;
      return {
        index: served.name,
        method: 'vector',
        query,
        references,
        timings: {} as Record<string, number>,
      };
    }
    const method = methodOf({ ...options, images: references, phi, publishedPhi: phiPresetFor(clip.id) });
    const images = references.map(({ image }) => image);
    const query = await compose({ ...options, method, clip, phi, images });
    return {
      ...{ index: served.name, method, query, references },
      ...(query.prompt !== undefined && { prompt: query.prompt }),
      ...(query.weight !== undefined && { weight: query.weight }),
      timings: { references: milliseconds, ...query.timings } as Record<string, number>,
    };
  }

  async #resolve(served: Served, reference: ImageReference, scope: RequestScope): Promise<ResolvedImage> {
    const { index, clip } = served;
    if ('id' in reference) {
      const found = await index.find(reference.id);
      if (found?.id !== reference.id) throw noImage(reference.id);
      return { image: found, hash: found.hash, id: found.id };
    }
    if ('upload' in reference) {
      const { name, hash: digest, embedding } = this.#uploads.get(reference.upload);
      return { image: { path: name, vector: embedding, norm: 1 }, hash: digest };
    }
    const bytes = await bytesOfReference(reference, this.allowsImageUrls, scope.signal);
    const { image, ...known } = await index.reference(bytes!);
    if (typeof image === 'object' && 'vector' in image) return { image, ...known };
    const { data } = await clip.encodeImages([bytes!]);
    return { image: { path: 'the image', vector: data, norm: 1 }, ...known };
  }
}

function rowsOf(data: Float32Array, size: number): number[][] {
  return Array.from({ length: data.length / size }, (_, row) => [
    ...data.subarray(row * size, (row + 1) * size),
  ]);
}

function noImage(id: string): LincirError {
  return new LincirError('not-found', {
    subject: `image ${id}`,
    expected: 'an id in the index',
    found: 'no image with it',
  });
}

function noThumbnail(name: string): LincirError {
  return new LincirError('not-found', {
    subject: quoted(name),
    expected: 'an image whose file can be read',
    found: 'none',
  });
}
