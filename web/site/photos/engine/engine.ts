/** All that works for the page in its worker: the model, phi, the index, indexing, and the state that it tells of them. */

import type { SearchAnswer, SearchRequest, Upload } from '../../../../src/api/client.ts';
import type { Clip } from '../../../../src/clip/index.ts';
import { LincirError } from '../../../../src/core/index.ts';
import { PhotoIndex } from '../index/photo-index.ts';
import { Rows } from '../index/rows.ts';
import { answerFor } from './answer.ts';
import { asSentences } from './calls.ts';
import { DecoderPool } from './decoding.ts';
import { bringUpToDate, firstJob, type IndexingWishes } from './indexing.ts';
import { Models } from './models.ts';
import { type FoldersOpen, openFolders } from './open-folders.ts';
import { HandleFolder, type ListedFiles, ListedFolder } from './scan.ts';
import { factsOf, type ResolvedImage, rowOf, search, valuesOf } from './search.ts';
import type { BrokenPicture, ModelChoice, State } from './state.ts';
import { openStorage, ownStorage, type PhotoStorage } from './storage.ts';
import { Uploads } from './uploads.ts';

const nothing = new Rows(1);
/** Milliseconds between news. */
const newsPause = 150;
/** Milliseconds after which the page hears of new pictures while indexing goes on: it then offers another search. */
const changesPause = 15_000;

export interface OpenedFolder {
  readonly handle: FileSystemDirectoryHandle;
  /** Its name in the index, if that is known from an earlier visit. */
  readonly name?: string | undefined;
}

export class Engine {
  readonly models: Models;
  readonly folders: FoldersOpen = openFolders();
  readonly #tell: (state: State) => void;
  readonly #uploads = new Uploads();
  readonly #uploadDecoder = new DecoderPool(1);
  #storage: PhotoStorage | undefined;
  #index: PhotoIndex | undefined;
  #isElsewhere = false;
  #job: State['job'];
  #running: { readonly controller: AbortController; readonly ended: Promise<void> } | undefined;
  #gate: PromiseWithResolvers<void> | undefined;
  #changes = { shown: 0, at: 0 };
  #indexCalls = 0;
  #starting: Promise<void> = Promise.resolve();
  /** A list of files that is still coming. */
  #listing: ListedFolder | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(tell: (state: State) => void) {
    this.#tell = tell;
    this.models = new Models(
      () => this.#changed(),
      () => this.#indexIfReady(),
    );
  }

  /** Opens what is kept; waits for other tabs. */
  async open(): Promise<void> {
    await ownStorage(() => {
      this.#isElsewhere = true;
      this.#changed();
    });
    this.#isElsewhere = false;
    this.#storage = await openStorage();
    this.#index = await PhotoIndex.open(this.#storage.folder);
    this.#changed();
  }

  get state(): State {
    const { model, phi, device, clip } = this.models;
    const { header, changes = 0, rows } = this.#index ?? {};
    const isBusy = this.#job?.stage === 'indexing';
    const now = performance.now();
    if (!isBusy || now - this.#changes.at > changesPause || this.#changes.shown === 0)
      this.#changes = { shown: changes, at: now };
    return {
      isElsewhere: this.#isElsewhere,
      isNotKept: this.#storage?.isNotKept,
      ...{ model, phi, device, job: this.#job },
      otherModel: header && clip && header.fingerprint !== clip.fingerprint ? header.model : undefined,
      indexModel: header?.model,
      folders: this.folders.facts(rows),
      broken: rows?.broken.size ?? 0,
      server: answerFor(this.#index, this.models, this.#changes.shown),
    };
  }

  /** Begins to download and load a model. Once it is there, it looks for new pictures. */
  async chooseModel(choice: ModelChoice): Promise<void> {
    await this.stop();
    this.#uploads.forget();
    await this.models.choose(choice);
  }

  /** Reads a folder from now on, and looks for new pictures in it. Returns the name that it has in the index. */
  async openFolder({ handle, name }: OpenedFolder): Promise<string> {
    const folder = new HandleFolder(handle, name);
    if (name !== undefined) this.folders.openAgain(folder);
    const own = name ?? (await this.folders.open(folder, this.#rows));
    this.#indexIfReady();
    return own;
  }

  /** The same for a list of files. */
  async listFiles(listed: ListedFiles): Promise<void> {
    if (listed.isFirst || this.#listing === undefined) this.#listing = new ListedFolder(listed.name);
    const folder = this.#listing;
    folder.add(listed);
    if (this.#running === undefined) this.#job = { ...firstJob, found: folder.size };
    this.#changed();
    if (!listed.isLast) return;
    this.#listing = undefined;
    await this.folders.open(folder, this.#rows);
    if (this.#running === undefined) this.#job = undefined;
    this.#indexIfReady();
  }

  /** Begins to bring the index up to date with the open folders. `isAnew`: forgets an index of another model. */
  index({ isAnew = false, ...wishes }: IndexingWishes & { readonly isAnew?: boolean }): void {
    const call = ++this.#indexCalls;
    this.#starting = this.#starting.then(async () => {
      await this.#end();
      if (call !== this.#indexCalls) return;
      const controller = new AbortController();
      this.#running = { controller, ended: this.#run(isAnew, wishes, controller.signal) };
    });
  }

  pause(): void {
    this.#gate ??= Promise.withResolvers();
    if (this.#job) this.#job = { ...this.#job, stage: 'paused', rate: 0 };
    this.#changed();
  }

  goOn(): void {
    this.#gate?.resolve();
    this.#gate = undefined;
    if (this.#job?.stage === 'paused') this.#job = { ...this.#job, stage: 'indexing' };
    this.#changed();
  }

  async stop(): Promise<void> {
    this.#indexCalls++; // what waits does not begin any more
    await this.#end();
  }

  async #end(): Promise<void> {
    this.#running?.controller.abort();
    this.goOn();
    await this.#running?.ended;
    this.#running = undefined;
  }

  async search(request: SearchRequest): Promise<SearchAnswer> {
    const model = async () => {
      const loaded = await this.models.loaded();
      this.#expectSameModel(loaded.clip);
      return loaded;
    };
    const upload = (handle: string) => this.#uploads.get(handle);
    return await this.models.orOnProcessor(() => search(request, { rows: this.#rows, upload, model }));
  }

  image(id: string) {
    return factsOf(this.#rows, id);
  }

  values(asked: Parameters<typeof valuesOf>[1]) {
    return valuesOf(this.#rows, asked);
  }

  thumbnail(id: string): Blob {
    const { facts } = rowOf(this.#rows, id);
    return new Blob([this.#index?.thumbnail(facts.id) ?? new Uint8Array()]);
  }

  uploadThumbnail(handle: string): Blob {
    return new Blob([this.#uploads.get(handle).thumbnail]);
  }

  async original(id: string): Promise<File> {
    return await this.folders.file(rowOf(this.#rows, id).facts.path);
  }

  async upload(file: File): Promise<Upload> {
    const { clip } = await this.models.loaded();
    const { preprocessing } = clip;
    const picture = await this.#uploadDecoder.decode({ path: file.name, file, preprocessing });
    if ('reason' in picture) {
      const expected = 'a picture that this browser can decode';
      throw new LincirError('bad-file', { subject: file.name, expected, found: picture.reason });
    }
    const { hash, thumbnail, pixels, width, height } = picture;
    const vector = await this.models.embed(pixels);
    const given: ResolvedImage = { path: file.name, hash, vector, norm: 1 };
    const known = this.#rows.withHash(hash)?.facts.id;
    const upload = this.#uploads.add({ ...given, thumbnail });
    return { upload, name: file.name, width, height, ...(known !== undefined && { id: known }) };
  }

  brokenPictures(): BrokenPicture[] {
    return Array.from(this.#rows.broken.values(), ({ path, reason }) => ({ path, reason }));
  }

  /** The pictures of a folder leave the index, and it is not looked at any more. Their small pictures leave the disk. */
  async removeFolder(name: string): Promise<void> {
    await this.stop();
    this.folders.close(name);
    this.#job = undefined;
    if (this.#index) {
      this.#index.add(this.#rows.pathsIn(name).map((path) => ({ kind: 'gone', path })));
      this.#index = await PhotoIndex.writtenAnew(this.#storage!.folder, this.#index);
    }
    this.#indexIfReady(); // goes on with the others
  }

  /** Deletes the index, its thumbnails, and the models that the browser keeps. */
  async deleteAll(): Promise<void> {
    await this.stop();
    this.#index?.close();
    this.#index = undefined;
    this.#job = undefined;
    this.#uploads.forget();
    this.folders.closeAll();
    const { folder } = this.#storage!;
    for (const name of await folder.names()) await folder.remove(name);
    await this.models.deleteKept();
    this.#changed();
  }

  get #rows(): Rows {
    return this.#index?.rows ?? nothing;
  }

  /** Without a model or a folder there is nothing to do; an index of another model is for the person to decide about. */
  #indexIfReady(): void {
    const { clip } = this.models;
    const isOther = clip && this.#index && this.#index.header.fingerprint !== clip.fingerprint;
    if (clip && !isOther && this.folders.all().length > 0) this.index({});
    this.#changed();
  }

  async #prepareIndex(isAnew: boolean): Promise<{ index: PhotoIndex; clip: Clip }> {
    const { clip } = await this.models.loaded();
    if (this.#index === undefined || isAnew) {
      this.#index?.close();
      this.#index = undefined;
      const { fingerprint, visionConfig } = clip;
      this.#index = await PhotoIndex.begin(this.#storage!.folder, {
        ...{ version: 1, fingerprint, model: this.models.model!.name },
        dimensions: visionConfig.projection,
      });
      this.#changes = { shown: 0, at: 0 };
    }
    this.#expectSameModel(clip);
    return { index: this.#index, clip };
  }

  async #run(isAnew: boolean, wishes: IndexingWishes, signal: AbortSignal): Promise<void> {
    this.#job = firstJob;
    try {
      const { index, clip } = await this.#prepareIndex(isAnew);
      await bringUpToDate(this.folders.all(), {
        ...wishes,
        index,
        preprocessing: clip.preprocessing,
        embed: (pixels) => this.models.embed(pixels),
        signal,
        gate: () => this.#gate?.promise,
        onJob: (job) => {
          this.#job = this.#gate && job.stage === 'indexing' ? { ...job, stage: 'paused', rate: 0 } : job;
          this.#changed();
        },
      });
    } catch (error) {
      if (signal.aborted) this.#job = undefined;
      else {
        this.#job = { ...(this.#job ?? firstJob), stage: 'failed', problem: asSentences(error) };
      }
    }
    this.#changed();
  }

  #expectSameModel({ fingerprint }: Clip): void {
    const { header } = this.#index ?? {};
    if (header === undefined || header.fingerprint === fingerprint) return;
    throw new LincirError('bad-argument', {
      subject: 'the index',
      expected: 'one of the model that is loaded',
      found: `one of the model ${header.model}`,
      todo: 'choose that model again, or index the photos again',
    });
  }

  /** Tells the page, but not more often than it can draw. */
  #changed(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#tell(this.state);
    }, newsPause);
  }
}
