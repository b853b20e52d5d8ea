/** Small graphs in which every operator that may compute in float16 stands behind a matrix product. */

import { constant, linear, type Value } from '../src/onnx/index.ts';
import * as op from '../src/onnx/operators.ts';
import type { Build, Inputs } from './operator-cases.ts';

export const halfCases: Readonly<Record<string, Build>> = {
  'sums, differences and multiples': (x) => {
    const [a, b] = [product(x), product(x)];
    return op.sub(op.mul(op.add(a, b), a), b);
  },
  activations: (x) => {
    const a = product(x);
    return op.add(
      op.add(op.add(op.gelu(a), op.fastGelu(a)), op.quickGelu(a)),
      op.mul(op.sigmoid(a), op.relu(a)),
    );
  },
  'a choice by comparison': (x) => {
    const [a, b] = [product(x), product(x)];
    return op.where(op.greater(a, b), a, op.mul(b, b));
  },
  layouts: (x) => {
    const a = op.transpose(op.reshape(product(x), ['n', 2, 2, 2]), [0, 2, 3, 1]);
    const wide = op.expand(op.reshape(a, [1, 'n', 2, 4]), [3, 'n', 2, 4]);
    const cut = op.concat(
      [op.slice(wide, 0, 1, 3), op.pad(op.slice(wide, 0, 0, 1), [1, 0, 0, 0, 0, 0, 0, 0])],
      0,
    );
    return op.matmul(op.gather(cut, x.integers([3], [2, 0, 2])), x.real([4, 5]));
  },
  'exact operators between products': (x) => {
    const a = op.softmax(product(x));
    const [normal] = op.layerNormalization(product(x), x.real([8]), x.real([8]), 1e-5);
    return op.matmul(
      op.add(a, op.div(normal!, op.exp(op.reduceMean(product(x), [1], true)))),
      x.real([8, 3]),
    );
  },
  'a residual connection': (x) => {
    const before = x.real(['n', 6]);
    const inner = op.quickGelu(linear(before, x.real([8, 6]), x.real([8])));
    return op.add(before, linear(inner, x.real([6, 8]), x.real([6])));
  },
  'masked attention': (x) => {
    const one = () => x.real(['n', 3, 4]);
    const later = op.greater(x.integers([1, 1, 1, 3], [0, 1, 2]), x.integers([1, 1, 3, 1], [0, 1, 2]));
    const mask = op.where(later, constant(-3.4028234663852886e38), constant(0));
    return op.multiHeadAttention([one(), one(), one(), mask], 2, 0.4);
  },
  'turned by position': (x) => {
    const angles = (step: number) =>
      constant(
        Float32Array.from({ length: 4 }, (_, at) => 0.5 + step * at),
        [2, 2],
      );
    const a = op.reshape(product(x), ['n', 2, 4]);
    return op.matmul(op.rotate(a, angles(0.1), angles(-0.2)), x.real([4, 3]));
  },
};

function product(x: Inputs): Value {
  return op.matmul(x.real(['n', 4]), x.real([4, 8]));
}
