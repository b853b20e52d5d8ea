/** Attention written with matrix products: its gradient needs the weights, and some devices fail at it whole. */

import type { Attributes } from './operators.ts';
import * as op from './operators.ts';
import { constant, type Value } from './values.ts';

type Settings = Attributes['MultiHeadAttention'];

/** softmax(scale Q K' + bias) of every head: [batch, heads, queries, keys]. */
export function attentionWeights(
  [query, key, , bias]: readonly Value[],
  { num_heads, scale }: Settings,
): Value {
  const [q, k] = [splitHeads(query!, num_heads), splitHeads(key!, num_heads)];
  const scores = op.mul(op.matmul(q, transposed(k)), constant(scale));
  return op.softmax(bias ? op.add(scores, bias) : scores);
}

/** What the operator MultiHeadAttention computes from these inputs. */
export function plainAttention(inputs: readonly Value[], settings: Settings): Value {
  const value = splitHeads(inputs[2]!, settings.num_heads);
  return joinHeads(op.matmul(attentionWeights(inputs, settings), value));
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
