/** The miniature world's model for tests in browsers, and how alike embeddings are. */

import type { Float32Tensor } from '../../src/core/index.ts';
import type { FilePaths } from './checks.ts';

const names = ['config.json', 'preprocessor_config.json', 'tokenizer.json', 'model.safetensors'];

/** In full, and its phi. */
export const mini: FilePaths = {
  ...Object.fromEntries(names.map((name) => [name, `models/mini/${name}`])),
  phi: 'models/mini/phi.safetensors',
};

/** Of rows with the same number. */
export function leastCosine(found: readonly (readonly number[])[], { shape, data }: Float32Tensor): number {
  const width = shape[1]!;
  const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
    Array.from(a, (value, at) => value * b[at]!).reduce((sum, value) => sum + value, 0);
  const cosines = found.map((a, row) => {
    const b = data.subarray(row * width, (row + 1) * width);
    return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
  });
  return Math.min(...cosines);
}
