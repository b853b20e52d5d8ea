/** An index that is served, with the model and phi of its queries: it follows what others do to it. */

import { setTimeout as pause } from 'node:timers/promises';
import { type Clip, loadClip } from '../clip/index.ts';
import { type DownloadProgress, LincirError } from '../core/index.ts';
import { type ImageIndex, modelFor, modelPrecision, openIndex } from '../indexing/index.ts';
import { loadPhi } from '../phi/index.ts';
import type { ModelToRun } from './inference.ts';
import { busy } from './lane.ts';
import { Lookups } from './lookups.ts';
import type { IndexToServe, ServiceOptions } from './options.ts';
import type { RequestScope } from './service.ts';

/** What queries to an index need. */
export interface QueryModel {
  /** For its tokenizer and settings: its towers run in other threads. */
  readonly clip: Clip;
  readonly toRun: ModelToRun;
  readonly phi: { readonly name: string; readonly needsNorm: boolean } | undefined;
}

/** How often, and after how many milliseconds, a request is tried again if its index is being replaced. */
const retries = 4;
const retryPause = 150;
/** Milliseconds after which no request waits any more. */
const longestWait = 60_000;

/** Owns the index: close it. */
export class ServedIndex {
  readonly name: string;
  readonly index: ImageIndex;
  /** Grows whenever the images have changed. */
  changes = 1;
  readonly #lookups: Lookups;
  readonly #given: IndexToServe;
  readonly #options: ServiceOptions;
  /** Called when the index has another model. */
  onRebuilt: () => void = () => {};
  #model: QueryModel;
  #following: Promise<void> | undefined;
  #version: string;

  private constructor(
    given: IndexToServe,
    options: ServiceOptions,
    index: ImageIndex,
    model: QueryModel,
    version: string,
  ) {
    this.name = given.name;
    this.index = index;
    this.#lookups = new Lookups(index);
    this.#given = given;
    this.#options = options;
    this.#model = model;
    this.#version = version;
  }

  /** @throws what `openIndex`, `loadClip` and `loadPhi` throw */
  static async open(given: IndexToServe, options: ServiceOptions): Promise<ServedIndex> {
    const index = await openIndex(given.uri, { hold: true });
    try {
      const model = await modelOf(index, given, options);
      return new ServedIndex(given, options, index, model, await index.version());
    } catch (error) {
      await index.close();
      throw error;
    }
  }

  /** The present model, perhaps another one than the index was last seen with. */
  get model(): QueryModel {
    return this.#model;
  }

  /** The image with an id; undefined without one. */
  async find(id: string) {
    return await this.#lookups.find(id);
  }

  /**
   * Does a request's work with the model of the index. If the index is replaced meanwhile, even by one of another model, does
   * it again. A cluster that is away may keep the work longer than anybody waits for it.
   */
  async answer<Result>(scope: RequestScope, work: (model: QueryModel) => Promise<Result>): Promise<Result> {
    const { promise: tooLate, reject } = Promise.withResolvers<never>();
    const left = Math.min(Math.max(0, scope.deadline - performance.now()), longestWait);
    const timer = setTimeout(() => reject(busy(1)), left);
    try {
      return await Promise.race([this.#answer(scope, work), tooLate]);
    } catch (error) {
      const isAway = error instanceof LincirError && error.code === 'network';
      if (!isAway || error.problem.subject !== this.index.uri) throw error;
      // Clients need not know where the cluster is.
      throw new LincirError('busy', {
        subject: `index ${this.name}`,
        expected: 'to be reached',
        found: 'no answer from its cluster',
        todo: 'try again later',
        retryAfter: 5,
        cause: error,
      });
    } finally {
      clearTimeout(timer);
    }
  }

  async #answer<Result>(
    { signal, deadline }: RequestScope,
    work: (model: QueryModel) => Promise<Result>,
  ): Promise<Result> {
    for (let tries = 0; ; tries += 1) {
      const model = this.#model;
      try {
        await this.look();
        return await work(this.#model);
      } catch (error) {
        const isOver = tries === retries || signal.aborted || performance.now() >= deadline;
        if (isOver || !(error instanceof LincirError)) throw error;
        const isOtherModel = !this.#isCurrent() || model !== this.#model;
        if (!isOtherModel && error.code !== 'io') throw error;
        if (!isOtherModel) await pause(retryPause);
      }
    }
  }

  /** Looks whether others have changed the index. */
  async look(): Promise<void> {
    const version = await this.index.version();
    if (!this.#isCurrent()) await this.#follow();
    if (version === this.#version) return;
    this.#version = version;
    this.changes += 1;
    this.#lookups.forget();
    this.#options.onEvent?.({ kind: 'index', index: this.name, changes: this.changes });
  }

  /** Why it cannot be searched now; undefined if it can. Throws what reading it throws. */
  async readiness(): Promise<string | undefined> {
    const problem = await this.index.shared?.readiness();
    if (problem === undefined) await this.look();
    return problem;
  }

  async close(): Promise<void> {
    await this.#model.clip.dispose();
    await this.index.close();
  }

  #isCurrent(): boolean {
    const { fingerprint, targetPad } = this.index.info;
    const { clip } = this.#model;
    return clip.fingerprint === fingerprint && clip.targetPad === targetPad;
  }

  /** Takes the model of an index that has been rebuilt. Its phi may be one for the earlier model. */
  async #follow(): Promise<void> {
    this.#following ??= (async () => {
      const { onEvent } = this.#options;
      const tell = (text: string) => onEvent?.({ kind: 'note', text });
      tell(`${this.index.uri} has been rebuilt for ${this.index.info.model}`);
      this.#lookups.forget();
      this.#model = await modelOf(this.index, this.#given, this.#options).catch(async (error) => {
        const { phi, ...given } = this.#given;
        if (phi === undefined) throw error;
        const model = await modelOf(this.index, given, this.#options);
        tell(`${this.name} goes on without phi: ${error instanceof Error ? error.message : error}`);
        return model;
      });
      this.onRebuilt();
    })().finally(() => {
      this.#following = undefined;
    });
    await this.#following;
  }
}

/** Checks that model and phi are there and fit, and downloads what is missing. */
async function modelOf(
  index: ImageIndex,
  { phi: phiName }: IndexToServe,
  { model, device, onEvent }: ServiceOptions,
): Promise<QueryModel> {
  const name = await modelFor(index.uri, index.info, model);
  const downloadOf =
    (label: string) =>
    ({ allReceivedBytes: done, allTotalBytes: total }: DownloadProgress) =>
      onEvent?.({ kind: 'progress', label: `downloading ${label}`, done, total });
  const clip = await loadClip(name, {
    precision: modelPrecision({ index: index.uri }, index.info.fingerprint, device),
    targetPad: index.info.targetPad ?? undefined,
    onDownload: downloadOf(name),
  });
  index.expectModel(clip);
  const toRun = { name, fingerprint: clip.fingerprint };
  if (phiName === undefined) return { clip, toRun, phi: undefined };
  const phi = await loadPhi(phiName, {
    clip,
    onLicence: (text) => onEvent?.({ kind: 'note', text }),
    onProgress: downloadOf('phi'),
  });
  await phi.dispose();
  return { clip, toRun, phi: { name: phiName, needsNorm: !phi.info.l2Normalize } };
}
