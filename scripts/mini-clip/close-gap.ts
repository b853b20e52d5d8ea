/** Moves a trained CLIP's image embeddings to where its text embeddings are, by changing its own parameters. */

import type { Float32Tensor } from '../../src/core/index.ts';
import type { ClipParameters } from './model.ts';

/**
 * Gives image embeddings the mean and the spread of their captions' embeddings. A contrastive loss leaves both open, but
 * phi learns from texts and is then used on images (Zhang et al., "Connect, Collapse, Corrupt", 2024, section 3). The
 * projection is scaled; the last bias shifts as far as the projection reaches.
 * @param pictures the vision tower's embeddings [rows, projection]
 * @param texts the text tower's, of the same scenes [rows, projection]
 */
export function closeGap({ tensors }: ClipParameters, pictures: Float32Tensor, texts: Float32Tensor): void {
  const projection = tensors.get('visual_projection.weight')!; // [projection, width]
  const bias = tensors.get('vision_model.post_layernorm.bias')!.data; // [width]
  const [from, to] = [momentsOf(pictures), momentsOf(texts)];
  const scale = to.spread / from.spread;
  for (let at = 0; at < projection.data.length; at += 1) projection.data[at]! *= scale;
  const gap = to.mean.map((value, axis) => value - scale * from.mean[axis]!);
  const shift = leastSquares(projection, gap);
  for (let at = 0; at < bias.length; at += 1) bias[at]! += shift[at]!;
}

/** The mean row, and the root mean square distance from it. */
function momentsOf({ shape, data }: Float32Tensor): { mean: number[]; spread: number } {
  const [rows, size] = shape as [number, number];
  const mean = new Array<number>(size).fill(0);
  data.forEach((value, at) => {
    mean[at % size]! += value / rows;
  });
  const squares = data.reduce((sum, value, at) => sum + (value - mean[at % size]!) ** 2, 0);
  return { mean, spread: Math.sqrt(squares / rows) };
}

/** x with the least ‖A x - b‖, by Gauss and Jordan on the normal equations. A [rows, columns], of full rank. */
function leastSquares({ shape, data }: Float32Tensor, b: readonly number[]): number[] {
  const [rows, columns] = shape as [number, number];
  const entry = (row: number, column: number) => data[row * columns + column]!;
  const indices = (count: number) => Array.from({ length: count }, (_, at) => at);
  const sum = (term: (row: number) => number) => indices(rows).reduce((total, row) => total + term(row), 0);
  const system = indices(columns).map((i) => [
    ...indices(columns).map((j) => sum((row) => entry(row, i) * entry(row, j))),
    sum((row) => entry(row, i) * b[row]!),
  ]);
  for (const pivot of indices(columns)) {
    const line = system[pivot]!; // positive definite, so no rows need to be exchanged
    const first = line[pivot]!;
    for (let at = pivot; at <= columns; at += 1) line[at]! /= first;
    for (const other of system) {
      const factor = other[pivot]!;
      if (other === line || factor === 0) continue;
      for (let at = pivot; at <= columns; at += 1) other[at]! -= factor * line[at]!;
    }
  }
  return system.map((line) => line[columns]!);
}
