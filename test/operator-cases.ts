/** Small graphs for every operator, with seeded inputs, that the tests of each device run. */

import type { Shape } from '../src/onnx/dimensions.ts';
import { constant, eightBits, input, integers, type Value } from '../src/onnx/index.ts';
import type { OperatorName } from '../src/onnx/operators.ts';
import * as op from '../src/onnx/operators.ts';
import { type Array64, tabulate } from './array64.ts';
import { evaluate } from './float64.ts';

/** What the symbols of the cases stand for. */
const sizes: Readonly<Record<string, number>> = { n: 2, m: 3 };
/** What transformers hides positions with: the least float32. */
const lowest = -3.4028234663852886e38;

/** Builds a graph on inputs that it makes. */
export type Build = (x: Inputs) => Value;

/** Makes inputs and remembers what they hold. */
export class Inputs {
  readonly given = new Map<Value, Array64>();
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** The inputs that a gradient is asked for. */
  get differentiable(): Value[] {
    return [...this.given.keys()].filter(({ type }) => type === 'float32');
  }

  /** Numbers of magnitude 0.1 to `largest`, so that none lies at a kink, each exactly a float32. */
  real(shape: Shape, largest = 1): Value {
    return this.#draw(shape, () => {
      const sign = this.#uniform() < 0.5 ? -1 : 1;
      return sign * (0.1 + (largest - 0.1) * this.#uniform());
    });
  }

  positive(shape: Shape): Value {
    return this.#draw(shape, () => 0.3 + this.#uniform());
  }

  integers(shape: Shape, values: readonly number[]): Value {
    const value = input(`input${this.given.size}`, 'int64', shape);
    this.given.set(value, { shape: concrete(shape), data: Float64Array.from(values) });
    return value;
  }

  #draw(shape: Shape, next: () => number): Value {
    const value = input(`input${this.given.size}`, 'float32', shape);
    this.given.set(
      value,
      tabulate(concrete(shape), () => Math.fround(next())),
    );
    return value;
  }

  /** mulberry32 */
  #uniform(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }
}

/** Total over the operators: one without a case does not compile. */
export const operatorCases: { readonly [K in OperatorName]: readonly Build[] } = {
  Add: [
    (x) => op.add(x.real(['n', 3]), x.real(['n', 3])),
    (x) => op.add(x.real(['n', 3]), x.real([3])),
    (x) => op.add(x.real(['m', 1]), x.real(['n', 1, 4])),
    (x) => op.add(x.real([]), x.real([2, 3])),
  ],
  Sub: [(x) => op.sub(x.real(['n', 3]), x.real(['n', 1])), (x) => op.sub(x.real([3]), x.real(['n', 2, 3]))],
  Mul: [(x) => op.mul(x.real(['n', 3]), x.real([1, 3])), (x) => op.mul(x.real([]), x.real(['n', 'm']))],
  Div: [
    (x) => op.div(x.real(['n', 3]), x.positive(['n', 1])),
    (x) => op.div(x.real([3, 1]), x.real(['n', 1, 4])),
  ],
  Exp: [(x) => op.exp(x.real(['n', 3]))],
  Log: [(x) => op.log(x.positive(['n', 3]))],
  Sqrt: [(x) => op.sqrt(x.positive(['n', 3]))],
  Erf: [(x) => op.erf(x.real(['n', 8], 3))],
  Sigmoid: [(x) => op.sigmoid(x.real(['n', 8], 5))],
  Relu: [(x) => op.relu(x.real(['n', 8]))],
  Gelu: [(x) => op.gelu(x.real(['n', 8], 4))],
  FastGelu: [(x) => op.fastGelu(x.real(['n', 8], 4))],
  QuickGelu: [(x) => op.quickGelu(x.real(['n', 8], 4)), (x) => op.quickGelu(x.real([5]), 1)],
  Greater: [
    (x) => {
      const [a, b] = [x.real(['n', 4]), x.real([4])];
      return op.where(op.greater(a, b), op.exp(a), op.mul(b, b));
    },
    (x) => op.where(op.greater(x.integers(['m'], [2, 0, 1]), integers([1])), x.real(['m']), x.real([1])),
  ],
  Equal: [
    (x) => op.where(op.equal(x.integers(['m'], [2, 0, 2]), integers([2])), x.real(['m']), x.real([1])),
    (x) => op.mul(x.real(['n', 4]), asReal(op.equal(sampled([4]), sampled([4])))),
  ],
  Where: [
    (x) => op.where(op.greater(x.integers(['n', 1], [1, 0]), integers([0])), x.real([3]), x.real(['n', 3])),
    (x) =>
      op.where(
        op.greater(x.integers(['m', 1, 2], [1, 0, 0, 1, 0, 0]), integers([0])),
        x.real([2, 1]),
        x.real([]),
      ),
  ],
  Cast: [
    (x) => op.cast(op.exp(op.cast(x.real(['n', 3]), 'float64')), 'float32'),
    (x) => op.mul(x.real(['m']), op.cast(x.integers(['m'], [4, -2, 7]), 'float32')),
  ],
  MatMul: [
    (x) => op.matmul(x.real([2, 3]), x.real([3, 4])),
    (x) => op.matmul(x.real(['n', 2, 3]), x.real([3, 'm'])),
    (x) => op.matmul(x.real([2, 3]), x.real(['n', 3, 2])),
    (x) => op.matmul(x.real(['n', 1, 2, 3]), x.real(['m', 3, 'n'])),
  ],
  Gemm: [
    (x) => op.gemm(x.real(['n', 3]), x.real([3, 4])),
    (x) => op.gemm(x.real([3, 'n']), x.real([3, 4]), { transA: true, c: x.real([4]) }),
    (x) => op.gemm(x.real(['n', 3]), x.real([4, 3]), { transB: true, alpha: 0.3, c: x.real(['n', 4]) }),
    (x) => op.gemm(x.real([3, 'n']), x.real([4, 3]), { transA: true, transB: true, alpha: -2 }),
    (x) => op.gemm(x.real([3, 'n']), x.real([3, 4]), { transA: true, alpha: 0.7 }),
    (x) => op.gemm(x.real(['n', 3]), x.real([4, 3]), { transB: true, c: x.real([1, 4]) }),
    (x) => op.gemm(x.real(['n', 3]), x.real([3, 4]), { alpha: 3, c: x.real(['n', 1]) }),
    (x) => op.gemm(x.real(['n', 3]), x.real([3, 4]), { c: x.real([]) }),
  ],
  Softmax: [
    (x) => op.softmax(x.real(['n', 4], 3)),
    (x) => op.softmax(x.real(['n', 'm', 2], 3), 1),
    (x) => op.softmax(x.real(['m', 2], 3), -2),
  ],
  LogSoftmax: [(x) => op.logSoftmax(x.real(['n', 4], 3)), (x) => op.logSoftmax(x.real(['m', 2, 2], 3), 0)],
  LayerNormalization: [
    (x) => op.layerNormalization(x.real(['n', 6]), x.real([6]), x.real([6]), 1e-5)[0]!,
    (x) => op.layerNormalization(x.real(['n', 'm', 4]), x.real([4]), x.real([4]), 0.1)[0]!,
  ],
  MultiHeadAttention: [
    (x) => attention(x, ['n', 3, 4], ['n', 3, 4], 2, 1 / Math.SQRT2),
    (x) => attention(x, ['n', 2, 6], ['n', 'm', 6], 3, 0.7),
    (x) => attention(x, ['n', 'm', 4], ['n', 2, 4], 1, 0.5, x.real([1, 1, 'm', 2])),
    (x) => attention(x, ['n', 2, 8], ['n', 'm', 8], 2, 0.5, x.real(['n', 1, 2, 'm'])),
    (x) => attention(x, ['n', 'm', 4], ['n', 'm', 4], 2, 0.5, laterHidden([1, 1, 'm', 1], 'm')),
    (x) =>
      attention(
        x,
        ['n', 1, 4],
        ['n', 'm', 4],
        2,
        0.5,
        laterHidden(['n', 1, 1, 1], 'm', x.integers(['n'], [1, 0])),
      ),
  ],
  RotaryEmbedding: [
    (x) => op.rotate(x.real(['n', 3, 4]), sampled([3, 2]), sampled([3, 2])),
    (x) => op.rotate(x.real(['n', 2, 12]), sampled([2, 2]), sampled([2, 2])), // three heads
  ],
  ReduceSum: [
    (x) => op.reduceSum(x.real(['n', 3]), [0]),
    (x) => op.reduceSum(x.real(['n', 'm', 2]), [-1, 0], true),
    (x) => op.exp(op.reduceSum(x.real([2, 3]), [0, 1])),
  ],
  ReduceMean: [
    (x) => op.reduceMean(x.real(['n', 3]), [-2]),
    (x) => op.reduceMean(x.real(['n', 'm', 2]), [1, 2], true),
    (x) => op.exp(op.reduceMean(x.real(['n', 'm']), [0, 1])),
  ],
  ReduceMax: [
    (x) => op.mul(x.real(['n', 1]), op.reduceMax(sampled([4, 3]), [0])),
    (x) => op.mul(x.real(['n', 1, 1]), op.reduceMax(sampled([2, 3, 4]), [-1, 0], true)),
  ],
  ArgMax: [
    (x) => op.mul(x.real(['n', 1]), asReal(op.argMax(sampled([4, 3]), 0))),
    // Of equal ones, the first.
    (x) =>
      op.mul(x.real([2, 1]), asReal(op.argMax(op.cast(integers([1, 7, 7, 0, 0, 0], [2, 3]), 'int32'), 1))),
    (x) => op.gather(x.real([4]), op.argMax(x.integers(['n', 'm'], [5, 9, 9, 3, 2, 1]), 1)),
  ],
  QuantizeLinear: [
    (x) => op.mul(x.real(['n', 12]), asReal(op.quantize(sampled([12]), { step: 0.017, zero: 128 }))),
    (x) => op.mul(x.real([3]), asReal(op.quantize(sampled(['n', 3]), { step: 0.002, zero: 7 }))), // beyond the grid
  ],
  MatMulIntegerToFloat: [
    (x) => op.mul(x.real([5, 1]), eightBitProduct([5, 6], 3, { step: 0.013, zero: 101 })),
    (x) => op.mul(x.real(['n', 1, 1, 1]), eightBitProduct([2, 3, 8], 4, { step: 0.02, zero: 0 })),
  ],
  Dimensions: [
    (x) => op.mul(x.real(['n', 'm', 3]), op.cast(op.dimensions(['n', '2*m*n-1', 4]), 'float32')),
    (x) => op.mul(x.real(['n', 'm']), op.cast(op.dimensions(['m-n+5']), 'float32')),
  ],
  Reshape: [
    (x) => op.reshape(x.real(['n', 6]), ['2*n', 3]),
    (x) => op.reshape(x.real(['n', 'm', 2]), ['m*n', 1, 2]),
    (x) => op.reshape(x.real([]), [1, 1]),
    (x) => op.reshape(x.real([1, 1]), []),
  ],
  Expand: [
    (x) => op.expand(x.real([3]), ['n', 3]),
    (x) => op.expand(x.real([2, 1]), ['n', 2, 'm']),
    (x) => op.expand(x.real([]), ['m']),
  ],
  Transpose: [
    (x) => op.transpose(x.real(['n', 3]), [1, 0]),
    (x) => op.transpose(x.real(['n', 2, 3, 'm']), [2, 0, 3, 1]),
  ],
  Concat: [
    (x) => op.concat([x.real(['n', 2]), x.real(['m', 2]), x.real([1, 2])], 0),
    (x) => op.concat([x.real(['n', 2, 'm']), x.real(['n', 2, 1])], -1),
    (x) => {
      const twice = x.real(['n', 2]);
      return op.concat([twice, op.exp(twice), twice], 1);
    },
  ],
  Slice: [
    (x) => op.slice(x.real(['n', 5]), 1, 1, 4),
    (x) => op.slice(x.real([5, 'm']), 0, 0, 'm'),
    (x) => op.slice(x.real([2, 'm', 3]), -2, 1, 'm'),
  ],
  Pad: [
    (x) => op.pad(x.real(['n', 3]), [0, 1, 0, 2]),
    (x) => op.pad(x.real(['n', 'm']), ['n', 0, 1, 'm']),
    (x) => op.pad(x.real([3]), [0, 0]),
  ],
  Gather: [
    (x) => op.gather(x.real([5, 3]), x.integers(['n', 2], [4, 1, 1, 1])),
    (x) => op.gather(x.real(['m', 2, 2]), x.integers(['n'], [2, 0])),
    (x) => op.gather(x.real([4]), integers([3, 3, 0])),
  ],
  GatherElements: [
    (x) => op.gatherElements(x.real(['n', 4]), x.integers(['n', 2], [3, 3, 0, 2]), 1),
    (x) => op.gatherElements(x.real([4, 3]), x.integers(['n', 3], [3, 3, 0, 2, 3, 1]), 0),
    (x) => op.gatherElements(x.real(['n', 2, 3]), x.integers(['n', 2, 1], [0, 2, 1, 1]), -1),
  ],
  TopK: [
    (x) => op.topK(x.real(['n', 5]), 3)[0],
    (x) => op.topK(x.real([4]), 4)[0],
    (x) => {
      const [largest, places] = op.topK(x.real(['m', 2, 6]), 2);
      return op.mul(largest, op.cast(places, 'float32'));
    },
    (x) => {
      const [, places] = op.topK(constant(Float32Array.of(1, 3, 1, 3, 0, 3), [6]), 5);
      return op.mul(op.cast(places, 'float32'), x.real([5]));
    },
  ],
  NonZero: [
    (x) => {
      const found = op.nonZero(op.equal(x.integers(['n', 'm'], [4, 1, 4, 1, 4, 1]), integers([4])), 'm');
      return op.gatherND(x.real(['n', 'm', 2]), op.transpose(found, [1, 0]));
    },
    (x) => op.mul(x.real([1]), asReal(op.nonZero(integers([0, 3, 0, -1]), 2))),
  ],
  GatherND: [
    (x) => op.gatherND(x.real(['n', 3, 2]), x.integers(['m', 2], [1, 2, 0, 0, 1, 2])),
    (x) => op.gatherND(x.real(['n', 3]), x.integers(['m', 2], [1, 2, 0, 1, 0, 1])),
    (x) => op.gatherND(x.real([4, 2]), x.integers(['n', 2, 1], [3, 3, 0, 1])),
  ],
  ScatterElements: [
    (x) => op.addAtElements(x.real(['n', 4]), x.integers(['n', 2], [3, 3, 0, 2]), x.real(['n', 2]), 1),
    (x) => op.addAtElements(x.real([4, 2]), x.integers(['m', 2], [1, 0, 1, 3, 1, 3]), x.real(['m', 2]), -2),
    (x) => op.addAtPositions(x.real(['n', 3]), x.integers(['m', 1], [1, 0, 1]), x.real(['m', 3])),
    (x) => op.addAtPositions(x.real(['n', 3, 2]), x.integers(['m', 2], [1, 2, 0, 1, 1, 2]), x.real(['m', 2])),
    (x) => op.addAtPositions(x.real([4]), x.integers(['m', 1], [2, 2, 2]), x.real(['m'])),
  ],
  ScatterND: [
    (x) => op.scatterND(x.real(['n', 3, 2]), x.integers([2, 2], [1, 2, 0, 0]), x.real([2, 2])),
    (x) => op.scatterND(x.real(['n', 3]), x.integers(['m', 2], [1, 2, 0, 0, 1, 0]), x.real(['m'])),
  ],
};

/** A constant of numbers from -1 to 1. */
function sampled(shape: Shape): Value {
  const sizesOfShape = concrete(shape);
  const { data } = tabulate(sizesOfShape, (index) => Math.sin(index.reduce((sum, at) => 7 * sum + at, 1)));
  return constant(Float32Array.from(data), sizesOfShape);
}

const asReal = (x: Value): Value => op.cast(x, 'float32');

function eightBitProduct(shape: readonly number[], columns: number, grid: op.EightBitGrid): Value {
  const inner = shape.at(-1)!;
  const weights = Int8Array.from({ length: inner * columns }, (_, at) => ((at * 89) % 255) - 127);
  return op.eightBitProduct(
    op.quantize(sampled(shape), grid),
    grid,
    eightBits(weights, [inner, columns]),
    sampled([columns]),
    sampled([columns]),
  );
}

function concrete(shape: Shape): number[] {
  const given = new Map([
    [input('sizes', 'float32', Object.keys(sizes)), tabulate(Object.values(sizes), () => 0)],
  ]);
  return [...evaluate({ shape: op.dimensions(shape) }, given).shape.data];
}

function attention(x: Inputs, query: Shape, key: Shape, heads: number, scale: number, bias?: Value): Value {
  return op.multiHeadAttention([x.real(query), x.real(key), x.real(key), bias], heads, scale);
}

/** Attention scores' bias that hides every key after the query's own position: [..., ends, keys]. */
function laterHidden(ends: Shape, keys: string, positions?: Value): Value {
  const all = op.slice(integers([0, 1, 2, 3, 4]), 0, 0, keys);
  const hidden = op.greater(all, op.reshape(positions ?? all, ends));
  return op.where(hidden, constant(lowest), constant(0));
}
