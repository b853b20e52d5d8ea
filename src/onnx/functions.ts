/** Layers and losses, composed of operators, so that they are differentiable. */

import { isContiguous, LincirError, quoted, type StoredTensor } from '../core/index.ts';
import { sizeOf } from './dimensions.ts';
import * as op from './operators.ts';
import { constant, sizeAt, type Value, weight } from './values.ts';

/** A weight as float32. When the session is made, the engine widens float16 and bfloat16, and transposes what is stored transposed. */
export function asFloat32(stored: StoredTensor, shape: readonly number[] = stored.shape): Value {
  const { strides, ...plain } = stored;
  if (strides === undefined) return op.cast(weight(stored, shape), 'float32');
  const axes = [...strides.keys()].sort((a, b) => strides[b]! - strides[a]!); // as stored in the file
  const lying = axes.map((axis) => stored.shape[axis]!);
  if (
    !isContiguous(
      lying,
      axes.map((axis) => strides[axis]!),
    )
  ) {
    throw new LincirError('bad-file', {
      subject: `${stored.source.name}: tensor ${quoted(stored.name)}`,
      expected: 'a tensor of a model without gaps or repetitions',
      found: `shape [${stored.shape.join(', ')}] with strides [${strides.join(', ')}]`,
      todo: 'call .contiguous() on it in Python and save again',
    });
  }
  weight(plain, shape); // throws if there are more or fewer elements
  const value = op.cast(weight({ ...plain, shape: lying }), 'float32');
  return op.reshape(
    op.transpose(
      value,
      [...axes.keys()].map((axis) => axes.indexOf(axis)),
    ),
    shape,
  );
}

/** x W' + b over the last axis. x [..., in], weight [out, in] as PyTorch stores it, bias [out]; gives [..., out]. */
export function linear(x: Value, weight: Value, bias?: Value): Value {
  const leading = x.shape.slice(0, -1);
  const rows = op.reshape(x, [sizeOf(leading), sizeAt(x, -1)]);
  const product = op.gemm(rows, weight, { c: bias, transB: true });
  return op.reshape(product, [...leading, sizeAt(weight, 0)]);
}

/** Normalises the last axis, then scales and shifts it. */
export function layerNorm(x: Value, scale: Value, bias: Value, epsilon: number): Value {
  return op.layerNormalization(x, scale, bias, epsilon)[0]!;
}

/** x / ‖x‖ over the last axis. */
export function l2Normalize(x: Value): Value {
  return op.div(x, op.sqrt(op.reduceSum(op.mul(x, x), [-1], true)));
}

/** Mean of (a - b)² over everything; a scalar. */
export function meanSquaredError(a: Value, b: Value): Value {
  const difference = op.sub(a, b);
  return op.reduceMean(op.mul(difference, difference), [...difference.shape.keys()]);
}

/** Mean over rows of -log softmax(logits)[label]. logits [rows, classes], labels int64 [rows]; a scalar. */
export function crossEntropy(logits: Value, labels: Value): Value {
  const rows = sizeAt(logits, 0);
  const chosen = op.gatherElements(op.logSoftmax(logits), op.reshape(labels, [rows, 1]), 1);
  return op.mul(op.reduceMean(chosen, [0, 1]), constant(-1));
}
