/** What a training step computes, on any platform: the gradient of its passes' mean loss, and where it moves phi. */

import type { BatchRequest, CaptionBatch } from '../captions/portable.ts';
import { adamW, addToMean, clipByNorm, learningRateAt, type Moments, updateAverage } from '../phi/index.ts';
import type { PassRequest } from './draw-pass.ts';
import type { MakeEmbeddings } from './known-embeddings.ts';
import type { FlatParameters } from './parameters.ts';
import type { TrainingSettings } from './settings.ts';
import type { StepNoise, TrainingStep } from './step.ts';

/** What learning changes: phi, and what the optimizer remembers. */
export interface LearningState {
  readonly parameters: FlatParameters;
  readonly moments: Moments;
  /** The moving average of the parameters, if there is one. */
  readonly average: FlatParameters | undefined;
}

/** What a step is computed from. */
export interface LearningParts {
  readonly settings: Pick<TrainingSettings, 'batch' | 'accumulation'>;
  readonly state: LearningState;
  readonly graphs: TrainingStep;
  /** Captions of the run's endless order. */
  readonly batches: { take(request: BatchRequest): Promise<CaptionBatch> };
  readonly draws: { take(pass: PassRequest): Promise<StepNoise> };
  /** The captions' embeddings, by their numbers: known ones, or those that `make` computes for rows of the batch. */
  readonly embeddings: (
    numbers: readonly number[],
    step: number,
    make: MakeEmbeddings,
  ) => Promise<Float32Array>;
  /** Room for the gradient of a step, and for that of a pass if a step has several. */
  readonly gradient: FlatParameters;
  readonly passGradient: FlatParameters | undefined;
}

/**
 * Computes all passes of a step: their mean loss, and its gradient in `gradient`.
 * @param step counted from 1
 * @param onPass called with a pass's captions and their errors, before the gradient is used. What it throws ends the step
 */
export async function lossOf(
  { settings, state, graphs, batches, draws, embeddings, gradient, passGradient }: LearningParts,
  step: number,
  onPass: (batch: CaptionBatch, errors: Float32Array) => void,
): Promise<number> {
  const { batch: count, accumulation } = settings;
  let loss = 0;
  for (let pass = 0; pass < accumulation; pass += 1) {
    const first = ((step - 1) * accumulation + pass) * count;
    const batch = await batches.take({ first, count });
    const { numbers, prepared } = batch;
    const targets = await embeddings(numbers, step, (rows) =>
      graphs.embeddings(rows.map((row) => prepared[row]!)),
    );
    const chance = await draws.take({ step, pass });
    const found = pass === 0 ? gradient : passGradient!;
    const { tensors } = state.parameters;
    const { errors } = await graphs.gradient(prepared, targets, tensors, chance, found.tensors);
    onPass(batch, errors);
    loss += errors.reduce((sum, error) => sum + error, 0) / count / accumulation;
    if (pass > 0) addToMean(gradient.values, found.values, pass);
  }
  return loss;
}

/** Moves phi by a step's gradient, unless the gradient is not finite. */
export function moveBy(
  { parameters, moments, average }: LearningState,
  gradient: FlatParameters,
  step: number,
  settings: TrainingSettings,
): { readonly gradientNorm: number; readonly learningRate: number } {
  const gradientNorm = clipByNorm(gradient.values, settings.clipNorm);
  const learningRate = learningRateAt(step, settings);
  if (Number.isFinite(gradientNorm)) {
    adamW(parameters.values, gradient.values, moments, step, { ...settings, learningRate });
    if (average) updateAverage(average.values, parameters.values, step);
  }
  return { gradientNorm, learningRate };
}
