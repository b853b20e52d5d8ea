/** Mixing the directions of an image and a text: their sum, and the arc between them on the sphere. */

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
