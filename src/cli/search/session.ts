/** Keeps an index, its model and phi loaded between searches, and searches with them. */

import { type Clip, loadClip } from '../../clip/index.ts';
import {
  compose,
  composePrompt,
  type Method,
  methodOf,
  methods,
  type PseudoTokenEncoder,
  type Query,
} from '../../composition/index.ts';
import { formatBytes, LincirError } from '../../core/index.ts';
import { cacheFolder } from '../../files/index.ts';
import { phiPresetFor } from '../../hub/index.ts';
import { type FoundImage, type ImageIndex, type IndexedReference, openIndex } from '../../indexing/index.ts';
import type { Device } from '../../onnx/index.ts';
import { loadPhi, type Phi } from '../../phi/index.ts';
import { openInversion } from '../../search/index.ts';
import { type Context, downloadBar, phiDownload } from '../context.ts';

/** Limit of standard input in bytes, the same as for the web. */
const inputLimit = 2 ** 26;

export interface SessionOptions {
  readonly index: string;
  /** Default: the index's own. */
  readonly model?: string;
  readonly device?: Device;
  readonly threads?: number;
  /** Whether several searches follow. Then a slower start is worth faster searches. */
  readonly interactive?: boolean;
  /** Fetch images from private addresses, too. */
  readonly allowPrivate?: boolean;
}

/** A request. */
export interface SearchRequest {
  /** Files, web addresses, ids or paths in the index; `-` is standard input. */
  readonly images: readonly string[];
  readonly text?: string | undefined;
  /** A file, or a run's folder. */
  readonly phi?: string | undefined;
  readonly without?: string | undefined;
  readonly withoutWeight?: number | undefined;
  readonly method?: Method | undefined;
  readonly weight?: number | undefined;
  readonly where?: string | undefined;
  readonly top: number;
  readonly page: number;
  readonly minScore?: number | undefined;
  readonly includeReference?: boolean | undefined;
  readonly exact?: boolean | undefined;
  /** See `SearchOptions`. */
  readonly unique?: boolean | number | undefined;
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
export class SearchSession {
  readonly index: ImageIndex;
  readonly #options: SessionOptions;
  readonly #context: Context;
  #clip: Clip;
  #phi: { readonly path: string; readonly phi: Phi } | undefined;
  #input: Promise<Uint8Array<ArrayBuffer>> | undefined;
  /** Milliseconds of loading since the last request, by stage. */
  #loading: Record<string, number>;

  private constructor(
    options: SessionOptions,
    context: Context,
    index: ImageIndex,
    clip: Clip,
    loading: Record<string, number>,
  ) {
    this.#options = options;
    this.#context = context;
    this.index = index;
    this.#clip = clip;
    this.#loading = loading;
  }

  static async open(options: SessionOptions, context: Context): Promise<SearchSession> {
    const loading: Record<string, number> = {};
    const index = await timed(loading, 'index', () => openIndex(options.index));
    try {
      const name = options.model ?? index.info.model;
      const clip = await timed(loading, 'model', () => clipOf(name, index, options, context));
      return new SearchSession(options, context, index, clip, loading);
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
   * If another process has rebuilt the index for another model, loads that model first.
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
    this.#context.reporter.note(`${this.index.uri} has been rebuilt: loading its model, ${model}`);
    const clip = await timed(this.#loading, 'model', () =>
      clipOf(model, this.index, this.#options, this.#context),
    );
    await this.#clip.dispose();
    this.#clip = clip;
    await this.#forgetPhi();
  }

  async #search(request: SearchRequest): Promise<SearchResults> {
    const { images, text, without, withoutWeight, weight, where, top, page } = request;
    const timings = this.#loading;
    this.#loading = {};
    const { allowPrivate } = this.#options;
    // Checked before anything is fetched or loaded.
    const chosen = this.expectQuery(request);
    const references = await timed(timings, 'reading images', () =>
      Promise.all(
        images.map(async (name) => ({
          name,
          ...(await this.index.reference(
            name === '-' ? await this.#inputPicture() : name,
            allowPrivate === true ? { allowPrivate } : {},
          )),
        })),
      ),
    );
    this.index.expectModel(this.#clip);
    const { pseudoTokens } = methods[chosen];
    const phiPath = pseudoTokens === 'phi' ? request.phi : undefined;
    let phi: PseudoTokenEncoder | undefined;
    if (phiPath !== undefined) phi = await timed(timings, 'phi', () => this.#phiOf(phiPath));
    else if (pseudoTokens === 'inversion') phi = this.#inversion();
    const query = await compose({
      clip: this.#clip,
      phi,
      ...{
        images: references.map(({ image }) => image),
        text,
        without,
        withoutWeight,
        method: chosen,
        weight,
      },
    });
    timings['encoding images'] = query.timings.images;
    timings['applying phi'] = query.timings.phi;
    timings['encoding text'] = query.timings.text;
    const exclude = request.includeReference ? [] : references.map(({ hash }) => hash);
    const { minScore, exact, unique } = request;
    const hits = await timed(timings, 'searching', () =>
      this.index.search(query, { top, page, minScore, where, exclude, exact, unique }),
    );
    const { uri: index, info } = this.index;
    return { request, query, references, hits, index, model: info.model, phi: phiPath, timings };
  }

  async close(): Promise<void> {
    await this.#forgetPhi();
    await this.#clip.dispose();
    await this.index.close();
  }

  /** Loads a phi once. Another one replaces it. */
  async #phiOf(path: string): Promise<Phi> {
    if (this.#phi?.path === path) return this.#phi.phi;
    const { device, threads } = this.#options;
    const { reporter, signal } = this.#context;
    const phi = await loadPhi(path, { clip: this.#clip, device, threads, signal, ...phiDownload(reporter) });
    reporter.end();
    await this.#forgetPhi();
    this.#phi = { path, phi };
    return phi;
  }

  #inversion(): PseudoTokenEncoder {
    const { device, threads } = this.#options;
    const { reporter, signal } = this.#context;
    reporter.begin({ label: 'oti', unit: 'images' });
    return openInversion({
      ...{ clip: this.#clip, cache: cacheFolder(), device, threads, signal },
      onProgress: (done) => reporter.advance(done),
    });
  }

  /** Reads standard input once, however often it is named. */
  #inputPicture(): Promise<Uint8Array<ArrayBuffer>> {
    this.#input ??= inputBytes(this.#options.interactive === true);
    return this.#input;
  }

  async #forgetPhi(): Promise<void> {
    await this.#phi?.phi.dispose();
    this.#phi = undefined;
  }
}

/** Reads an image from standard input. */
async function inputBytes(isDialogue: boolean): Promise<Uint8Array<ArrayBuffer>> {
  const refuse = (code: 'bad-argument' | 'bad-file', expected: string, found: string, todo: string) =>
    new LincirError(code, { subject: '--image -', expected, found, todo });
  if (isDialogue) {
    throw refuse(
      'bad-argument',
      'a file',
      'standard input, where the lines of the dialogue come from',
      'name it',
    );
  }
  if (process.stdin.isTTY) {
    throw refuse(
      'bad-argument',
      'an image on standard input',
      'a terminal',
      'write, say, < dog.jpg after it',
    );
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of process.stdin as AsyncIterable<Uint8Array>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size <= inputLimit) continue;
    throw refuse('bad-file', `at most ${formatBytes(inputLimit)}`, 'more', 'name the file instead');
  }
  if (size === 0) throw refuse('bad-file', 'an image on standard input', 'nothing', 'see what writes it');
  return new Uint8Array(Buffer.concat(chunks));
}

/** The model of the index, loaded. */
async function clipOf(
  name: string,
  index: ImageIndex,
  { device, threads, interactive = false }: SessionOptions,
  { reporter, signal }: Context,
): Promise<Clip> {
  const { targetPad } = index.info;
  const clip = await loadClip(name, {
    ...(device && { device }),
    ...(threads !== undefined && { threads }),
    prepack: interactive,
    ...(targetPad !== null && { targetPad }),
    onDownload: downloadBar(reporter, name),
    signal,
  });
  reporter.end();
  try {
    index.expectModel(clip);
    return clip;
  } catch (error) {
    await clip.dispose();
    throw error;
  }
}

async function timed<T>(timings: Record<string, number>, stage: string, work: () => Promise<T>): Promise<T> {
  const begin = performance.now();
  const result = await work();
  timings[stage] = performance.now() - begin;
  return result;
}
