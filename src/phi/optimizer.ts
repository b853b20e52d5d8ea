/** AdamW, gradient clipping and moving averages, for parameters in one array. */

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
  const kept = 1 - learningRate * weightDecay;
  const rate = learningRate / (1 - beta1 ** step);
  const correction = Math.sqrt(1 - beta2 ** step);
  for (let at = 0; at < parameters.length; at += 1) {
    const slope = gradient[at]!;
    const mean = beta1 * first[at]! + (1 - beta1) * slope;
    const square = beta2 * second[at]! + (1 - beta2) * slope * slope;
    first[at] = mean;
    second[at] = square;
    parameters[at] = kept * parameters[at]! - (rate * mean) / (Math.sqrt(square) / correction + epsilon);
  }
}

/** Scales a gradient that is longer than `limit` down to that length. Returns its original length. */
export function clipByNorm(gradient: Float32Array, limit: number | undefined): number {
  let squares = 0;
  for (let at = 0; at < gradient.length; at += 1) squares += gradient[at]! ** 2;
  const norm = Math.sqrt(squares);
  if (limit !== undefined && norm > limit) {
    const factor = limit / norm;
    for (let at = 0; at < gradient.length; at += 1) gradient[at]! *= factor;
  }
  return norm;
}

/** Decay of a moving average after `step` steps: it slows down as steps go by. */
export function updateAverage(average: Float32Array, parameters: Float32Array, step: number): void {
  moveAverage(average, parameters, Math.min(0.9999, (1 + step) / (10 + step)));
}

/** Moves `average` towards `parameters`. It keeps the part `decay` of itself. */
export function moveAverage(average: Float32Array, parameters: Float32Array, decay: number): void {
  for (let at = 0; at < average.length; at += 1) {
    average[at] = decay * average[at]! + (1 - decay) * parameters[at]!;
  }
}
