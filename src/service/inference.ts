/** What the threads of inference are asked, and what they answer. */

import { extname } from 'node:path';
import type { Method } from '../composition/index.ts';
import type { Device } from '../onnx/index.ts';
import type { BatchResult, Outcome } from './lane.ts';
import { Thread } from './thread.ts';
import { receivedError, type SentError } from './thread-errors.ts';

/** A model that a thread can load. */
export interface ModelToRun {
  /** What `loadClip` takes. */
  readonly name: string;
  readonly fingerprint: string;
}

/** A query to compose, whose images' embeddings are known. */
export interface ComposeJob {
  readonly kind: 'compose';
  readonly model: ModelToRun;
  /** What `loadPhi` takes, for methods with pseudo tokens. */
  readonly phi?: string;
  readonly method: Method;
  readonly weight?: number;
  readonly withoutWeight?: number;
  /** As CLIP gives them. */
  readonly images: readonly Float32Array[];
  readonly text?: string;
  readonly without?: string;
}

export type Job =
  | ComposeJob
  /** A text to embed. */
  | { readonly kind: 'text'; readonly model: ModelToRun; readonly text: string }
  /** A preprocessed image to embed: [3, height, width]. */
  | {
      readonly kind: 'image';
      readonly model: ModelToRun;
      readonly pixels: Float32Array<ArrayBuffer>;
    };

export interface JobResult {
  /** Of length 1 if composed, else as CLIP gives it. */
  readonly vector: Float32Array;
  /** Milliseconds of each stage of the batch. */
  readonly timings: Readonly<Record<string, number>>;
}

/** A batch, or models to free. */
export type InferenceQuestion =
  | { readonly jobs: readonly Job[] }
  | { readonly unload: readonly ModelToRun[] };

export interface InferenceAnswer {
  readonly outcomes: readonly ({ readonly value: JobResult } | { readonly failed: SentError })[];
  /** Without the loading of models. */
  readonly milliseconds: number;
}

/** A model has been loaded or freed. */
export interface InferenceNews extends ModelToRun {
  readonly loaded: boolean;
}

export interface InferenceSettings {
  readonly device: Device | undefined;
  readonly threads: number | undefined;
}

/** A thread that runs models. It loads them when they are first needed. */
export class InferenceThread {
  readonly #thread: Thread<InferenceQuestion, InferenceAnswer, InferenceNews>;

  constructor(settings: InferenceSettings, onNews: (news: InferenceNews) => void) {
    // After compilation, this file and the worker end in .js.
    const file = new URL(`./inference-worker${extname(import.meta.url)}`, import.meta.url);
    this.#thread = new Thread(file, settings, onNews);
  }

  async run(jobs: readonly Job[]): Promise<BatchResult<JobResult>> {
    const moved = jobs.flatMap((job) => (job.kind === 'image' ? [job.pixels.buffer] : []));
    const { outcomes, milliseconds } = await this.#thread.ask({ jobs }, moved);
    const received = outcomes.map(
      (outcome): Outcome<JobResult> =>
        'failed' in outcome ? { error: receivedError(outcome.failed) } : outcome,
    );
    return { outcomes: received, milliseconds };
  }

  /** Frees models, after what runs. */
  async unload(models: readonly ModelToRun[]): Promise<void> {
    if (this.#thread.isStarted) await this.#thread.ask({ unload: models });
  }

  async close(): Promise<void> {
    await this.#thread.close();
  }
}
