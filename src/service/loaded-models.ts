/** Knows which models are in memory, and frees those that nobody has used for a while. */

import type { InferenceNews, ModelToRun } from './inference.ts';
import type { ServiceEvent } from './options.ts';

interface Usage {
  readonly model: ModelToRun;
  /** Requests that need it now. */
  users: number;
  /** When the last one ended, as `performance.now()` counts. */
  last: number;
}

/** Looks so many times in the time after which models are freed. */
const looks = 4;

export class LoadedModels {
  readonly #idle: number;
  readonly #onEvent: ((event: ServiceEvent) => void) | undefined;
  readonly #unload: (models: readonly ModelToRun[]) => void;
  /** Threads that have a model, by its fingerprint. */
  readonly #holders = new Map<string, Set<symbol>>();
  readonly #usage = new Map<string, Usage>();
  readonly #timer: NodeJS.Timeout | undefined;

  /** @param idleSeconds after which a model is freed; undefined or 0: never */
  constructor(
    idleSeconds: number | undefined,
    onEvent: ((event: ServiceEvent) => void) | undefined,
    unload: (models: readonly ModelToRun[]) => void,
  ) {
    this.#idle = (idleSeconds ?? 0) * 1000;
    this.#onEvent = onEvent;
    this.#unload = unload;
    if (this.#idle > 0) this.#timer = setInterval(() => this.#freeUnused(), this.#idle / looks).unref();
  }

  has(fingerprint: string): boolean {
    return (this.#holders.get(fingerprint)?.size ?? 0) > 0;
  }

  /** Takes a thread's news of what it has loaded or freed. */
  take(thread: symbol, { name: model, fingerprint, loaded }: InferenceNews): void {
    const before = this.has(fingerprint);
    const holders = this.#holders.get(fingerprint) ?? new Set<symbol>();
    this.#holders.set(fingerprint, holders);
    if (loaded) holders.add(thread);
    else holders.delete(thread);
    if (this.has(fingerprint) !== before) this.#onEvent?.({ kind: 'model', model, loaded });
  }

  /** Keeps a model in memory as long as the work lasts. */
  async using<Result>(model: ModelToRun, work: () => Promise<Result>): Promise<Result> {
    const usage = this.#usage.get(model.fingerprint) ?? { model, users: 0, last: 0 };
    this.#usage.set(model.fingerprint, usage);
    usage.users += 1;
    try {
      return await work();
    } finally {
      usage.users -= 1;
      usage.last = performance.now();
    }
  }

  /** Frees what the named indexes do not need any more. */
  keepOnly(fingerprints: ReadonlySet<string>): void {
    this.#free([...this.#usage.values()].filter(({ model }) => !fingerprints.has(model.fingerprint)));
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #freeUnused(): void {
    const before = performance.now() - this.#idle;
    this.#free([...this.#usage.values()].filter(({ users, last }) => users === 0 && last <= before));
  }

  #free(unused: readonly Usage[]): void {
    if (unused.length === 0) return;
    for (const { model } of unused) this.#usage.delete(model.fingerprint);
    this.#unload(unused.map(({ model }) => model));
  }
}
