/** Trains the small CLIP: pairs, loss, gradient, step, log, checkpoint. */

import { LincirError } from '../../src/core/index.ts';
import { adamW, clipByNorm, learningRateAt } from '../../src/phi/index.ts';
import { ContrastStep, type PairBatch } from './contrast.ts';
import {
  initialParameters,
  logitScaleName,
  type MiniShape,
  miniConfig,
  writeDescription,
  writeWeights,
} from './model.ts';
import type { TokenizerFile } from './tokenizer-file.ts';
import {
  appendLog,
  beginLog,
  type ClipTrainingState,
  continueLog,
  readState,
  writeState,
} from './training-state.ts';

interface ClipTrainingSettings {
  readonly shape: MiniShape;
  readonly seed: number;
  readonly steps: number;
  /** Pairs of a step. Each is a negative for the others. */
  readonly batch: number;
  /** Groups of captions of similar length in a batch, which is a multiple of it. */
  readonly groups: number;
  readonly learningRate: number;
  readonly warmup: number;
  /** The part of the steps after which captions may name a scene and change it to another. */
  readonly changesAfter: number;
  /** The part of the steps after which batches have scenes that differ in one thing. */
  readonly twinsAfter: number;
  /** For matrices. Vectors and the temperature do not decay. */
  readonly weightDecay: number;
  /** Largest length of the gradient. */
  readonly clipNorm: number;
}

/** The settings of the model in models/mini. */
export const defaultClipTraining: ClipTrainingSettings = {
  shape: {
    width: 128,
    heads: 4,
    textLayers: 4,
    visionLayers: 4,
    feedForward: 512,
    projection: 256,
    positions: 77,
    imageSize: 64,
    patchSize: 21,
  },
  seed: 1,
  steps: 5000,
  batch: 256,
  groups: 8,
  learningRate: 1e-3,
  warmup: 100,
  changesAfter: 0.08,
  twinsAfter: 0.2,
  weightDecay: 0.1,
  clipNorm: 1,
};

export interface ClipTrainingOptions {
  readonly settings: ClipTrainingSettings;
  readonly tokenizer: TokenizerFile;
  /** The pairs of a step, counted from 1. The same step always has the same pairs. */
  readonly pairs: (step: number) => Promise<PairBatch>;
  /** Folder of the model, its log, and the state from which `resume` continues. */
  readonly folder: string;
  readonly resume?: boolean;
  readonly threads?: number;
  /** Steps between checkpoints. */
  readonly saveEvery: number;
}

export interface ClipTrainingStep {
  readonly step: number;
  readonly loss: number;
  /** The part of images whose caption is the nearest of the batch. */
  readonly accuracy: number;
  readonly learningRate: number;
  readonly gradientNorm: number;
  /** Factor of cosines. */
  readonly factor: number;
  /** Seconds since the training began, without interruptions. */
  readonly seconds: number;
}

/** As for CLIP's vision transformers (Radford et al., 2021, table 20). */
const adam = { beta1: 0.9, beta2: 0.98, epsilon: 1e-6 };
/** Limit of the temperature factor (ibid., section 2.5). */
const highestScale = Math.log(100);

/**
 * Trains a CLIP from scratch, and yields every step. Blocks its thread most of the time. The folder has the model of the
 * last checkpoint, in Hugging Face layout. The same seed gives the same model on the same machine.
 * @throws LincirError 'bad-config' when the loss is not finite; 'bad-argument' when settings differ from the resumed
 * training's; 'not-found', 'bad-file', 'io' and 'device'
 */
export async function* trainClip(options: ClipTrainingOptions): AsyncGenerator<ClipTrainingStep, void, void> {
  const { settings, tokenizer, pairs, folder, resume = false, threads, saveEvery } = options;
  const { shape, seed, steps, batch, groups, weightDecay } = settings;
  const config = miniConfig(shape, tokenizer.vocabulary);
  const parameters = initialParameters(config, seed);
  const { values, matrices, tensors } = parameters;
  const scale = tensors.get(logitScaleName)!.data;
  const gradient = new Float32Array(values.length);

  await writeDescription(folder, shape, tokenizer);
  const state = resume ? await readState(folder, values.length) : newState(values);
  values.set(state.parameters);
  await (resume ? continueLog(folder, settings, state.step) : beginLog(folder, settings));
  const begin = performance.now() - 1000 * state.seconds;

  const graph = await ContrastStep.create(config, batch, groups, { threads });
  try {
    while (state.step < steps) {
      const step = state.step + 1;
      const { loss, logits } = await graph.run(await pairs(step), parameters, gradient);
      const gradientNorm = clipByNorm(gradient, settings.clipNorm);
      if (!Number.isFinite(loss + gradientNorm)) throw notFinite(step, loss, gradientNorm);

      const learningRate = learningRateAt(step, { ...settings, schedule: 'cosine', cycles: 1, power: 1 });
      for (const [first, end, decay] of [
        [0, matrices, weightDecay],
        [matrices, values.length, 0],
      ] as const) {
        const part = (array: Float32Array) => array.subarray(first, end);
        const moments = { first: part(state.moments.first), second: part(state.moments.second) };
        const rates = { ...adam, learningRate, weightDecay: decay };
        adamW(part(values), part(gradient), moments, step, rates);
      }
      scale[0] = Math.min(scale[0]!, highestScale);

      state.step = step;
      state.seconds = (performance.now() - begin) / 1000;
      const told = {
        ...{ step, loss, accuracy: accuracyOf(logits, batch), learningRate, gradientNorm },
        ...{ factor: Math.exp(scale[0]), seconds: state.seconds },
      };
      await appendLog(folder, told);
      if (step % saveEvery === 0 || step === steps) {
        await writeWeights(folder, parameters);
        await writeState(folder, { ...state, parameters: values });
      }
      yield told;
    }
  } finally {
    await graph.dispose();
  }
}

function newState(values: Float32Array): ClipTrainingState {
  const moments = { first: new Float32Array(values.length), second: new Float32Array(values.length) };
  return { step: 0, seconds: 0, parameters: values, moments };
}

/** How often the diagonal is the highest of its row. */
function accuracyOf(logits: Float32Array, batch: number): number {
  const rows = Array.from({ length: batch }, (_, row) => logits.subarray(row * batch, (row + 1) * batch));
  return rows.filter((row, at) => row.every((value) => value <= row[at]!)).length / batch;
}

function notFinite(step: number, loss: number, gradientNorm: number): LincirError {
  return new LincirError('bad-config', {
    subject: `step ${step}`,
    expected: 'a finite loss and gradient',
    found: `a loss of ${loss}, a gradient of length ${gradientNorm}`,
    todo: 'try a lower learning rate or a longer warm-up',
  });
}
