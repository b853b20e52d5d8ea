/** Keeps an index, its model and phi loaded between searches, and searches with them. */

import { type Clip, loadClip } from '../clip/index.ts';
import {
  type ComposeOptions,
  compose,
  composePrompt,
  type Method,
  methodOf,
  methods,
  type PseudoTokenEncoder,
  type Query,
} from '../composition/index.ts';
import type { DownloadProgress } from '../core/index.ts';
import { cacheFolder } from '../files/index.ts';
import { phiPresetFor } from '../hub/index.ts';
import {
  type FoundImage,
  type ImageIndex,
  type IndexedReference,
  modelFor,
  modelPrecision,
  openIndex,
  type SearchOptions,
} from '../indexing/index.ts';
import type { Device } from '../onnx/index.ts';
import { loadPhi, type Phi } from '../phi/index.ts';
import { openInversion } from './open-inversion.ts';

export interface SearcherOptions {
  /** See `openIndex`. */
  readonly index: string;
  /** Default: the index's own. */
  readonly model?: string;
  readonly device?: Device;
  readonly threads?: number;
  /** Off: loading is quicker, each search is slower, and the last bits of vectors differ. Default: on. */
  readonly prepack?: boolean;
  /** Fetch images from private addresses, too. */
  readonly allowPrivate?: boolean;
  /** Folder in which `oti` keeps its pseudo tokens. Default: the cache folder. */
  readonly cache?: string;
  /** Aborts downloads and inversions. */
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: SearchEvent) => void;
}

/** Something that takes a while, or that users should know. */
export type SearchEvent =
  /** A download, or an inversion: it has ended when `done` is `total`. */
  | {
      readonly kind: 'progress';
      readonly label: string;
      readonly unit: 'bytes' | 'images';
      readonly done: number;
      readonly total: number;
    }
  /** A phi's licence, or a rebuilt index whose model is being loaded. */
  | { readonly kind: 'note'; readonly text: string };

/** A request. */
export interface SearchRequest
  extends Pick<ComposeOptions, 'text' | 'without' | 'withoutWeight' | 'method' | 'weight'>,
    Pick<SearchOptions, 'where' | 'minScore' | 'exact' | 'unique'> {
  /** Files, web addresses, ids or paths in the index; or an image itself. */
  readonly images: readonly (string | File)[];
  /** See `loadPhi`. */
  readonly phi?: string;
  readonly top: number;
  readonly page: number;
  /** Keep the query's own images in the results. */
  readonly includeReference?: boolean;
}

export interface SearchResults {
  readonly request: SearchRequest;
  readonly query: Query;
  readonly references: readonly (IndexedReference & { readonly name: string })[];
  readonly hits: readonly FoundImage[];
  readonly index: string;
  /** Of the index. */
  readonly model: string;
  /** The phi as it was named, if it was used. */
  readonly phi: string | undefined;
  /** Milliseconds of each stage, in order. */
  readonly timings: Readonly<Record<string, number>>;
}

/** Owns what it has loaded: close it. */
export class Searcher {
  readonly index: ImageIndex;
  readonly #options: SearcherOptions;
  #clip: Clip;
  #phi: { readonly name: string; readonly phi: Phi } | undefined;
  /** Milliseconds of loading since the last request, by stage. */
  #loading: Record<string, number>;

  private constructor(
    options: SearcherOptions,
    index: ImageIndex,
    clip: Clip,
    loading: Record<string, number>,
  ) {
    this.#options = options;
    this.index = index;
    this.#clip = clip;
    this.#loading = loading;
  }

  /** @throws what `openIndex` and `loadClip` throw */
  static async open(options: SearcherOptions): Promise<Searcher> {
    const loading: Record<string, number> = {};
    const index = await timed(loading, 'index', () => openIndex(options.index));
    try {
      const name = await modelFor(index.uri, index.info, options.model);
      const clip = await timed(loading, 'model', () => clipOf(name, index, options));
      return new Searcher(options, index, clip, loading);
    } catch (error) {
      await index.close();
      throw error;
    }
  }

  /**
   * The method of a request.
   * @throws LincirError 'bad-argument' for a request that is no query, as `compose` does
   */
  expectQuery(request: SearchRequest): Method {
    const { images, text = '', method: asked } = request;
    const phi = request.phi ?? (asked && methods[asked].pseudoTokens === 'inversion' ? asked : undefined);
    const method = methodOf({ ...request, phi, publishedPhi: phiPresetFor(this.#clip.id) });
    if (methods[method].pseudoTokens) composePrompt(text, images.length, this.#clip.tokenizer);
    return method;
  }

  /**
   * Answers one request at a time. If another process has rebuilt the index for another model, loads that model first.
   * @throws LincirError as `compose`, `PictureIndex.reference` and `PictureIndex.search` do
   */
  async search(request: SearchRequest): Promise<SearchResults> {
    try {
      return await this.#search(request);
    } catch (error) {
      const { fingerprint, targetPad } = this.index.info;
      if (fingerprint === this.#clip.fingerprint && targetPad === this.#clip.targetPad) throw error;
      await this.#followIndex();
      return await this.#search(request);
    }
  }

  async #followIndex(): Promise<void> {
    const { model } = this.index.info;
    const text = `${this.index.uri} has been rebuilt: loading its model, ${model}`;
    this.#options.onEvent?.({ kind: 'note', text });
    const clip = await timed(this.#loading, 'model', () => clipOf(model, this.index, this.#options));
    await this.#clip.dispose();
    this.#clip = clip;
    await this.#forgetPhi();
  }

  async #search(request: SearchRequest): Promise<SearchResults> {
    const timings = this.#loading;
    this.#loading = {};
    // Checked before anything is fetched or loaded.
    const chosen = this.expectQuery(request);
    const references = await timed(timings, 'reading images', () =>
      Promise.all(request.images.map((image) => this.#reference(image))),
    );
    this.index.expectModel(this.#clip);
    const { pseudoTokens } = methods[chosen];
    const phiName = pseudoTokens === 'phi' ? request.phi : undefined;
    const phi = pseudoTokens && (await timed(timings, 'phi', () => this.#pseudoTokensOf(chosen, phiName)));
    const images = references.map(({ image }) => image);
    const query = await compose({ ...request, clip: this.#clip, phi, images, method: chosen });
    timings['encoding images'] = query.timings.images;
    timings['applying phi'] = query.timings.phi;
    timings['encoding text'] = query.timings.text;
    const exclude = request.includeReference ? [] : references.map(({ hash }) => hash);
    const hits = await timed(timings, 'searching', () => this.index.search(query, { ...request, exclude }));
    const { uri: index, info } = this.index;
    return { request, query, references, hits, index, model: info.model, phi: phiName, timings };
  }

  async close(): Promise<void> {
    await this.#forgetPhi();
    await this.#clip.dispose();
    await this.index.close();
  }

  async #reference(image: string | File): Promise<SearchResults['references'][number]> {
    const { allowPrivate = false } = this.#options;
    if (typeof image === 'string') {
      return { name: image, ...(await this.index.reference(image, { allowPrivate })) };
    }
    const bytes = new Uint8Array(await image.arrayBuffer());
    return { name: image.name, ...(await this.index.reference(bytes)) };
  }

  /** The source of a method's pseudo tokens. A phi is loaded once; another one replaces it. */
  async #pseudoTokensOf(method: Method, name: string | undefined): Promise<PseudoTokenEncoder> {
    const { device, threads, signal, onEvent, cache = cacheFolder() } = this.#options;
    const where = { clip: this.#clip, device, threads, signal };
    if (name === undefined) {
      const onProgress = (done: number, total: number) =>
        onEvent?.({ kind: 'progress', label: method, unit: 'images', done, total });
      return openInversion({ ...where, cache, onProgress });
    }
    if (this.#phi?.name === name) return this.#phi.phi;
    const onLicence = (text: string) => onEvent?.({ kind: 'note', text });
    const phi = await loadPhi(name, { ...where, onLicence, onProgress: downloadOf('phi', onEvent) });
    await this.#forgetPhi();
    this.#phi = { name, phi };
    return phi;
  }

  async #forgetPhi(): Promise<void> {
    await this.#phi?.phi.dispose();
    this.#phi = undefined;
  }
}

/** The model of the index, loaded. */
async function clipOf(
  name: string,
  index: ImageIndex,
  { device, threads, prepack = true, signal, onEvent }: SearcherOptions,
): Promise<Clip> {
  const clip = await loadClip(name, {
    ...{ device, threads, prepack, signal },
    precision: modelPrecision({ index: index.uri }, index.info.fingerprint, device),
    targetPad: index.info.targetPad ?? undefined,
    onDownload: downloadOf(name, onEvent),
  });
  try {
    index.expectModel(clip);
    return clip;
  } catch (error) {
    await clip.dispose();
    throw error;
  }
}

function downloadOf(name: string, onEvent: SearcherOptions['onEvent']) {
  return ({ allReceivedBytes: done, allTotalBytes: total }: DownloadProgress) =>
    onEvent?.({ kind: 'progress', label: `downloading ${name}`, unit: 'bytes', done, total });
}

async function timed<T>(timings: Record<string, number>, stage: string, work: () => Promise<T>): Promise<T> {
  const begin = performance.now();
  const result = await work();
  timings[stage] = performance.now() - begin;
  return result;
}
