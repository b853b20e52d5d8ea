/** Attention as matrix products, and how its heads lie. */

import type { Attributes } from './operators.ts';
import * as op from './operators.ts';
import { constant, type Value } from './values.ts';

/** MultiHeadAttention's outputs: [batch, queries, width] and its weights [batch, heads, queries, keys]. */
export function plainAttention(
  [query, key, value, bias]: readonly Value[],
  { num_heads, scale }: Attributes['MultiHeadAttention'],
): readonly Value[] {
  const [q, k, v] = [query!, key!, value!].map((x) => splitHeads(x, num_heads)) as [Value, Value, Value];
  const scores = op.mul(op.matmul(q, transposed(k)), constant(scale));
  const weights = op.softmax(bias ? op.add(scores, bias) : scores);
  return [joinHeads(op.matmul(weights, v)), weights];
}

/** [batch, positions, heads * size] to [batch, heads, positions, size] */
export function splitHeads(x: Value, heads: number): Value {
  const [batch, positions, width] = x.shape;
  return op.transpose(op.reshape(x, [batch!, positions!, heads, Number(width) / heads]), [0, 2, 1, 3]);
}

/** [batch, heads, positions, size] to [batch, positions, heads * size] */
export function joinHeads(x: Value): Value {
  const [batch, heads, positions, size] = x.shape;
  return op.reshape(op.transpose(x, [0, 2, 1, 3]), [batch!, positions!, Number(heads) * Number(size)]);
}

/** Exchanges the last two axes. */
export function transposed(x: Value): Value {
  const axes = [...x.shape.keys()];
  return op.transpose(x, [...axes.slice(0, -2), ...axes.slice(-2).reverse()]);
}
