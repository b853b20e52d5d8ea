/** The scale of gradients in float16: large enough that none becomes 0, and lowered for a batch in which one overflows. */

import type { TowerResult } from './tower-task.ts';

/**
 * Length of a caption's gradient where it enters the tower. float16 ends at 2^16 and has all its digits down to 2^-14.
 * Gradients of the models measured (random ViT-B/32 and ViT-L/14, the miniature world's, a tiny one) overflow from 2^14 on
 * at the earliest, and are a little less exact at 2^-8.
 */
const usualScale = 2 ** 8;
/** Each try is so many times smaller. */
const step = 2 ** 4;
const tries = 8;

/**
 * A batch whose gradient is finite, if its errors are. Every batch begins with the usual scale: no step is left out, and
 * results do not depend on earlier steps, as they do where a scale is adapted.
 */
export async function withFiniteGradient(
  run: (scale: number) => Promise<TowerResult>,
  firstScale = usualScale,
): Promise<TowerResult> {
  let scale = firstScale;
  let result = await run(scale);
  for (let left = tries; left > 0 && !areFinite(result.gradient!) && areFinite(result.errors!); left -= 1) {
    scale /= step;
    result = await run(scale);
  }
  return result;
}

function areFinite(values: Float32Array): boolean {
  return values.every(Number.isFinite);
}
