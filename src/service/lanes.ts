/** The service's queues and the threads behind them: preparing images, encoding them, encoding texts, searching. */

import { availableParallelism } from 'node:os';
import type { Clip } from '../clip/index.ts';
import { chunks } from '../core/index.ts';
import { InferenceThread, type Job, type JobResult, type ModelToRun } from './inference.ts';
import { Lane, type Runner } from './lane.ts';
import { LoadedModels } from './loaded-models.ts';
import type { LaneName, ServiceOptions } from './options.ts';
import {
  ownBytes,
  type PreparedImage,
  type PreparingAnswer,
  type PreparingQuestion,
  PreparingThread,
} from './preparing.ts';
import type { RequestScope } from './service.ts';

const defaultCapacity = 256;
/** Texts of one run: more would not make each any quicker, but let the first ones wait. */
const largestTextBatch = 32;
/** Images of one run: it takes a quarter of a second on two cores. */
const largestImageBatch = 8;
/** Searches at once: an index in memory answers so many with one product. */
const searchesAtOnce = 32;

/** Owns the threads: close it. */
export class Lanes {
  readonly models: LoadedModels;
  readonly #texts: Lane<Job, JobResult>;
  readonly #images: Lane<Job, JobResult>;
  readonly #preparing: Lane<PreparingQuestion, PreparingAnswer>;
  readonly #searches: Lane<() => Promise<unknown>, unknown>;
  readonly #inference: readonly InferenceThread[];
  readonly #preparers: readonly PreparingThread[];

  constructor(options: ServiceOptions) {
    const { device, threads, workers = 1, queue: capacity = defaultCapacity, onEvent } = options;
    const models = new LoadedModels(options.idleSeconds, onEvent, (unused) => this.#unload(unused));
    this.models = models;
    const started = (count: number) =>
      Array.from({ length: count }, () => {
        const holder = Symbol();
        return new InferenceThread({ device, threads }, (news) => models.take(holder, news));
      });
    // On WebGPU, two sessions that run at once crash (microsoft/onnxruntime 32561).
    const texts = started(device === 'webgpu' ? 1 : workers);
    const images = device === 'webgpu' ? texts : started(workers);
    this.#inference = [...new Set([...texts, ...images])];
    const cores = availableParallelism();
    this.#preparers = Array.from({ length: Math.max(1, Math.floor(cores / 2)) }, () => new PreparingThread());
    const lane = <Work, Result>(name: LaneName, runners: readonly Runner<Work, Result>[], largestBatch = 1) =>
      new Lane({ name, runners, capacity, largestBatch, onEvent });
    const running = (thread: InferenceThread) => (jobs: readonly Job[]) => thread.run(jobs);
    this.#texts = lane('text', texts.map(running), largestTextBatch);
    this.#images = lane('vision', images.map(running), largestImageBatch);
    const preparing = this.#preparers.map((thread) =>
      single((question: PreparingQuestion) => thread.run(question)),
    );
    this.#preparing = lane('images', [...preparing, ...preparing]); // each takes two at once
    const search = single((work: () => Promise<unknown>) => work());
    this.#searches = lane(
      'search',
      Array.from({ length: searchesAtOnce }, () => search),
    );
  }

  /** Refuses a request that would be refused later, before anything is done for it. Throws LincirError 'busy'. */
  expectRoom(scope: RequestScope): void {
    this.#texts.expectRoom(scope);
  }

  /** Composes a query, or embeds a text: what waits is done together. */
  async text(job: Exclude<Job, { kind: 'image' }>, scope: RequestScope): Promise<JobResult> {
    return await this.models.using(job.model, () => this.#texts.run(job, scope));
  }

  /** The embeddings of texts, as CLIP gives them. A batch of them waits for the one before, so that others have their turn. */
  async texts(
    model: ModelToRun,
    texts: readonly string[],
    scope: RequestScope,
  ): Promise<readonly Float32Array[]> {
    const found: Float32Array[] = [];
    for await (const some of chunks(texts, largestTextBatch)) {
      const results = await Promise.all(some.map((text) => this.text({ kind: 'text', model, text }, scope)));
      found.push(...results.map(({ vector }) => vector));
    }
    return found;
  }

  /** The embedding of a preprocessed image, as CLIP gives it. */
  async image(
    model: ModelToRun,
    pixels: Float32Array<ArrayBuffer>,
    scope: RequestScope,
  ): Promise<Float32Array> {
    const job = { kind: 'image', model, pixels } as const;
    return (await this.models.using(model, () => this.#images.run(job, scope))).vector;
  }

  /** SHA-256 in hex, and the bytes, which are gone from where they were given. */
  async hash(bytes: Uint8Array, scope: RequestScope): Promise<Extract<PreparingAnswer, { kind: 'hash' }>> {
    const answer = await this.#preparing.run({ kind: 'hash', bytes: ownBytes(bytes) }, scope);
    return answer as Extract<PreparingAnswer, { kind: 'hash' }>;
  }

  /** An image for the model's vision tower. Its bytes are gone afterwards. Throws LincirError 'bad-file'. */
  async prepare(
    { preprocessing, targetPad }: Clip,
    image: { readonly bytes: Uint8Array; readonly name: string; readonly thumbnailSide?: number },
    scope: RequestScope,
  ): Promise<PreparedImage> {
    const { bytes, name, thumbnailSide } = image;
    const given = { kind: 'image', bytes: ownBytes(bytes), name, thumbnailSide } as const;
    const answer = await this.#preparing.run({ ...given, preprocessing, targetPad }, scope);
    return answer as PreparedImage & { kind: 'image' };
  }

  /** Does work on an index, when fewer searches run. */
  async search<Result>(work: () => Promise<Result>, scope: RequestScope): Promise<Result> {
    return (await this.#searches.run(work, scope)) as Result;
  }

  /** Ends the threads, each after its run. Nothing may be asked any more. */
  async close(): Promise<void> {
    this.models.close();
    await Promise.all([...this.#inference, ...this.#preparers].map((thread) => thread.close()));
  }

  #unload(models: readonly ModelToRun[]): void {
    for (const thread of this.#inference) void thread.unload(models).catch(() => {}); // it has died: nothing is loaded
  }
}

/** Runs tasks that no batch makes quicker. */
function single<Work, Result>(work: (given: Work) => Promise<Result>): Runner<Work, Result> {
  return async ([given]) => {
    const begin = performance.now();
    const value = await work(given!);
    return { outcomes: [{ value }], milliseconds: performance.now() - begin };
  };
}
