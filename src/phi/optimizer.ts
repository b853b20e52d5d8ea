/** AdamW, gradient clipping and moving averages, for parameters in one array. */

import { runPass } from '../core/index.ts';

/** AdamW's memory of earlier gradients. */
export interface Moments {
  readonly first: Float32Array;
  readonly second: Float32Array;
}

interface AdamWOptions {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
}

/**
 * Moves `parameters` by one step of AdamW (Loshchilov and Hutter, 2019, algorithm 2), as torch.optim.AdamW does.
 * @param step counted from 1
 */
export function adamW(
  parameters: Float32Array,
  gradient: Float32Array,
  { first, second }: Moments,
  step: number,
  { learningRate, beta1, beta2, epsilon, weightDecay }: AdamWOptions,
): void {
  const arrays = [parameters, gradient, first, second];
  const rate = learningRate / (1 - beta1 ** step);
  const correction = 1 / Math.sqrt(1 - beta2 ** step);
  const decay = learningRate * weightDecay;
  runPass('adamW', arrays, [1 - beta1, 1 - beta2, decay, rate, correction, epsilon]);
}

/** Scales a gradient that is longer than `limit` down to that length. Returns its original length. */
export function clipByNorm(gradient: Float32Array, limit: number | undefined): number {
  const norm = Math.sqrt(runPass('squares', [gradient], []));
  if (limit !== undefined && norm > limit) runPass('scale', [gradient], [limit / norm]);
  return norm;
}

/** Takes one more gradient into the mean of the `earlier` ones. */
export function addToMean(mean: Float32Array, gradient: Float32Array, earlier: number): void {
  runPass('approach', [mean, gradient], [1 / (earlier + 1)]);
}

/** Decay of a moving average after `step` steps: it slows down as steps go by. */
export function updateAverage(average: Float32Array, parameters: Float32Array, step: number): void {
  moveAverage(average, parameters, Math.min(0.9999, (1 + step) / (10 + step)));
}

/** Moves `average` towards `parameters`. It keeps the part `decay` of itself. */
export function moveAverage(average: Float32Array, parameters: Float32Array, decay: number): void {
  runPass('approach', [average, parameters], [1 - decay]);
}
