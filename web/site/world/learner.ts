/** Learns phi from captions, a step at a time: what `lincir train` computes, without its files and threads. */

import { type CaptionBatch, captionBatches, createPreparation } from '../../../src/captions/portable.ts';
import { openTokenizer, openTowers } from '../../../src/clip/index.ts';
import { LincirError, type ModelFiles, quoted } from '../../../src/core/index.ts';
import { defaultDropout, initialPhi, type PhiShape, phiShape } from '../../../src/phi/index.ts';
import {
  drawPass,
  flatParameters,
  knownOrMade,
  type LearningParts,
  type LearningState,
  lossOf,
  memoryStore,
  moveBy,
  TowerGraphs,
  type TowerRunner,
  type TrainingSettings,
  TrainingStep,
} from '../../../src/training/portable.ts';

/** All that a run must keep to go on as if it had never ended. */
export interface LearntState {
  /** Steps done. */
  readonly step: number;
  /** phi's parameters, and the optimizer's two moments, each as `flatParameters` has them. */
  readonly values: Float32Array<ArrayBuffer>;
  readonly first: Float32Array<ArrayBuffer>;
  readonly second: Float32Array<ArrayBuffer>;
  /** The loss of each step. */
  readonly losses: readonly number[];
}

export interface LearnerOptions {
  /** A model whose text tower is whole. */
  readonly files: ModelFiles;
  /** How many captions there are, and each of them by its number from 0. */
  readonly captions: { readonly count: number; readonly at: (index: number) => string };
  readonly settings: TrainingSettings;
  /** Where to go on. Absent: from the beginning. */
  readonly learnt?: LearntState;
  /** Lets messages come in, several times in a step. */
  readonly pause: () => Promise<void>;
}

export interface LearnerStep {
  readonly step: number;
  readonly loss: number;
  readonly batch: CaptionBatch;
  /** The error of each caption of the batch. */
  readonly errors: Float32Array;
}

/** Token positions computed at once, as on any CPU. */
const positionsPerRun = 1024;

/** Owns memory outside JavaScript: dispose of it. */
export class Learner {
  readonly settings: TrainingSettings;
  readonly #parts: LearningParts;
  readonly #losses: number[];
  readonly #stop: { signal?: AbortSignal };

  private constructor(
    settings: TrainingSettings,
    parts: LearningParts,
    losses: readonly number[],
    stop: { signal?: AbortSignal },
  ) {
    this.settings = settings;
    this.#parts = parts;
    this.#losses = [...losses];
    this.#stop = stop;
  }

  /** @throws LincirError 'bad-file', 'bad-config' and 'device' */
  static async create({ files, captions, settings, learnt, pause }: LearnerOptions): Promise<Learner> {
    const { seed, masking, architecture, batch, accumulation } = settings;
    const { config, checkpoint } = await openTowers(files);
    const tokenizer = await openTokenizer(files);
    const text = config.text!;
    const shape = phiShape(architecture, text);
    const prepare = await createPreparation(tokenizer, masking);
    const take = captionBatches({
      ...{ seed, prepare, sources: [{ captions: captions.count, weight: 1 }] },
      read: async (places) => places.map(({ index }) => captions.at(index)),
    });
    const dropout = settings.dropout ?? defaultDropout(architecture);
    const draws = { ...settings, ...shape, batch, passes: accumulation, dropout };
    const store = memoryStore(shape.input);
    const model = { config: text, tensors: checkpoint.tensors, startOfText: tokenizer.startOfText };
    const stop: { signal?: AbortSignal } = {};
    const graphs = await TrainingStep.create(model, shape, {
      ...{ positionsPerRun, l2Normalize: settings.l2Normalize },
      runner: stoppable(await TowerGraphs.create(model, {}), pause, stop),
    });
    const parts: LearningParts = {
      ...{ settings, graphs, state: stateOf(shape, seed, learnt) },
      batches: { take },
      draws: { take: async (pass) => drawPass(draws, pass) },
      embeddings: (numbers, _step, make) => knownOrMade(store, shape.input, numbers, make),
      gradient: flatParameters(shape),
      passGradient: accumulation > 1 ? flatParameters(shape) : undefined,
    };
    return new Learner(settings, parts, learnt?.losses ?? [], stop);
  }

  /** Steps that are done. */
  get step(): number {
    return this.#losses.length;
  }

  /** The loss of each step. */
  get losses(): readonly number[] {
    return this.#losses;
  }

  /** phi's parameters now: a copy. */
  get values(): Float32Array<ArrayBuffer> {
    return this.#parts.state.parameters.values.slice() as Float32Array<ArrayBuffer>;
  }

  /**
   * Learns from one more batch.
   * @param signal gives the step up, wherever it is, and throws its reason: nothing is changed then
   * @throws LincirError 'bad-config' when loss or gradient are not finite: phi is as before the step
   */
  async next(signal?: AbortSignal): Promise<LearnerStep> {
    const step = this.step + 1;
    this.#stop.signal = signal;
    let pass: Pick<LearnerStep, 'batch' | 'errors'> | undefined;
    const loss = await lossOf(this.#parts, step, (batch, errors) => {
      pass = { batch, errors };
      const guilty = batch.captions.find((_, row) => !Number.isFinite(errors[row]));
      if (guilty !== undefined) throw notFinite(step, `none for ${quoted(guilty)}`);
    });
    signal?.throwIfAborted();
    const { gradientNorm } = moveBy(this.#parts.state, this.#parts.gradient, step, this.settings);
    if (!Number.isFinite(gradientNorm)) throw notFinite(step, `a gradient of length ${gradientNorm}`);
    this.#losses.push(loss);
    return { step, loss, ...pass! };
  }

  /** A copy of all that must be kept. */
  learnt(): LearntState {
    const { moments } = this.#parts.state;
    return {
      ...{ step: this.step, losses: [...this.#losses], values: this.values },
      first: moments.first.slice() as Float32Array<ArrayBuffer>,
      second: moments.second.slice() as Float32Array<ArrayBuffer>,
    };
  }

  async dispose(): Promise<void> {
    await this.#parts.graphs.dispose();
  }
}

function stateOf(shape: PhiShape, seed: number, learnt: LearntState | undefined): LearningState {
  const room = (values: Float32Array<ArrayBuffer> | undefined) =>
    flatParameters(shape, undefined, values && (() => values.slice()));
  return {
    parameters: learnt ? room(learnt.values) : flatParameters(shape, initialPhi(shape, seed)),
    moments: { first: room(learnt?.first).values, second: room(learnt?.second).values },
    average: undefined,
  };
}

/** Between the parts of a step, lets messages come in, and gives the step up if one says so. */
function stoppable(
  runner: TowerRunner,
  pause: () => Promise<void>,
  stop: { readonly signal?: AbortSignal },
): TowerRunner {
  return {
    async run(tasks) {
      const results: Awaited<ReturnType<TowerRunner['run']>>[number][] = [];
      for (const task of tasks) {
        await pause();
        stop.signal?.throwIfAborted();
        results.push(...(await runner.run([task])));
      }
      return results;
    },
    dispose: () => runner.dispose(),
  };
}

function notFinite(step: number, found: string): LincirError {
  return new LincirError('bad-config', {
    subject: `step ${step}`,
    expected: 'a finite loss and gradient',
    found,
    todo: 'what was learnt before is kept: load the page again to go on from there',
  });
}
