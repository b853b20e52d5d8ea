/** Attention as matrix products, and how its heads lie. */

import { type Dimension, sizeOf } from './dimensions.ts';
import type { Attributes } from './operators.ts';
import * as op from './operators.ts';
import { constant, sizeAt, type Value } from './values.ts';

/** MultiHeadAttention's outputs: [batch, queries, width] and its weights [batch, heads, queries, keys]. */
export function plainAttention(
  [query, key, value, bias]: readonly Value[],
  { num_heads, scale }: Attributes['MultiHeadAttention'],
): readonly Value[] {
  const [q, k, v] = [query!, key!, value!].map((x) => splitHeads(x, num_heads)) as [Value, Value, Value];
  const batch = sizeAt(query!, 0);
  const scores = op.mul(op.matmul(q, transposed(k)), constant(scale));
  const split = op.reshape(scores, [batch, num_heads, sizeAt(query!, 1), sizeAt(key!, 1)]);
  const weights = op.softmax(bias ? op.add(split, bias) : split);
  return [joinHeads(op.matmul(ofAllHeads(weights), v), num_heads, batch), weights];
}

/**
 * [batch, positions, heads * size] to [batch * heads, positions, size]. With three axes, ONNX Runtime lets a product read
 * what is `transposed` as it lies; with four, it would copy it in another order.
 */
export function splitHeads(x: Value, heads: number): Value {
  const [batch, positions, width] = x.shape;
  const split = op.reshape(x, [batch!, positions!, heads, Number(width) / heads]);
  return ofAllHeads(op.transpose(split, [0, 2, 1, 3]));
}

/** [batch * heads, positions, size] to [batch, positions, heads * size] */
export function joinHeads(x: Value, heads: number, batch: Dimension): Value {
  const [, positions, size] = x.shape;
  const split = op.reshape(x, [batch, heads, positions!, size!]);
  return op.reshape(op.transpose(split, [0, 2, 1, 3]), [batch, positions!, heads * Number(size)]);
}

/** [batch, heads, ...] to [batch * heads, ...] */
export function ofAllHeads(x: Value): Value {
  const [batch, heads, ...each] = x.shape;
  return op.reshape(x, [sizeOf([batch!, heads!]), ...each]);
}

/** Exchanges the last two axes. */
export function transposed(x: Value): Value {
  const axes = [...x.shape.keys()];
  return op.transpose(x, [...axes.slice(0, -2), ...axes.slice(-2).reverse()]);
}
