/** Mixing directions: their sum, their mean, and the arc between two on the sphere. */

import { normalizeRows } from '../core/index.ts';

/** a + weight b. */
export function sum(a: Float32Array, b: Float32Array, weight: number): Float32Array {
  return a.map((value, at) => value + weight * b[at]!);
}

/** Spherical interpolation from a to b, both of length 1 (Shoemake, SIGGRAPH 1985). */
export function slerp(a: Float32Array, b: Float32Array, weight: number): Float32Array {
  const cosine = a.reduce((total, value, at) => total + value * b[at]!, 0);
  const angle = Math.acos(Math.min(1, Math.max(-1, cosine)));
  if (Math.sin(angle) < 1e-6)
    return sum(
      a.map((value) => value * (1 - weight)),
      b,
      weight,
    );
  const from = Math.sin((1 - weight) * angle) / Math.sin(angle);
  const to = Math.sin(weight * angle) / Math.sin(angle);
  return a.map((value, at) => from * value + to * b[at]!);
}

/** The same vector at length 1. Zeros stay. */
export function directionOf(vector: Float32Array): Float32Array {
  const direction = vector.slice();
  normalizeRows(direction, direction.length);
  return direction;
}

/** The mean of directions, as a direction; empty for no vectors. */
export function meanDirection(vectors: readonly Float32Array[]): Float32Array {
  const mean = new Float32Array(vectors[0]?.length ?? 0);
  for (const vector of vectors) mean.set(sum(mean, directionOf(vector), 1));
  return directionOf(mean);
}
