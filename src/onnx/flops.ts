/** Counts a graph's arithmetic: the multiplications and additions of its matrix products. */

import { type Dimension, resolved, sizeOf } from './dimensions.ts';
import { dependencies } from './model.ts';
import { type Node, sizeAt, type Value } from './values.ts';

/**
 * Floating-point operations (two per multiply-add) of the matrix products that `outputs` need, when the symbolic
 * sizes are as given. Element-wise work is not counted, although it keeps a graph below a product's own speed.
 */
export function productFlops(outputs: readonly Value[], sizes: Readonly<Record<string, number>>): number {
  return dependencies(outputs).nodes.reduce((sum, node) => sum + 2 * multiplications(node, sizes), 0);
}

function multiplications(node: Node, sizes: Readonly<Record<string, number>>): number {
  const [a, b] = node.inputs;
  const symbols = new Map(Object.entries(sizes));
  const count = (shape: readonly Dimension[]): number => resolved(sizeOf(shape), symbols) ?? Number.NaN;
  switch (node.operator) {
    case 'Gemm':
      // rows x columns x inner, for A with rows x inner and B with inner x columns, transposed or not
      return Math.sqrt(count(a!.shape) * count(b!.shape) * count(node.outputs[0]!.shape));
    case 'MatMul':
    case 'MatMulIntegerToFloat':
      return count(node.outputs[0]!.shape) * count([sizeAt(a!, -1)]);
    case 'MultiHeadAttention':
      return 2 * count(a!.shape) * count([sizeAt(b!, 1)]); // scores, then their product with the values
    default:
      return 0;
  }
}
