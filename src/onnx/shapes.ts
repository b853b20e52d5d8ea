/** The shape rule of every operator: computes the types and shapes of its outputs from its inputs. */

import { type ElementType, LincirError } from '../core/index.ts';
import {
  broadcast,
  type Dimension,
  formatShape,
  minus,
  plus,
  type Shape,
  sameShape,
  sizeOf,
} from './dimensions.ts';
import type { Attributes, OperatorName } from './operators.ts';
import { sizeAt, type Value } from './values.ts';

type Output = { readonly type: ElementType; readonly shape: Shape };
type ShapeRule<K extends OperatorName> = (
  inputs: readonly Value[],
  attributes: Attributes[K],
) => readonly Output[];

const unary = ([x]: readonly Value[]): Output[] => [x!];
/** The second output is what x is multiplied with: for gradients. */
const activation = ([x]: readonly Value[]): Output[] => [x!, x!];
const binary = ([a, b]: readonly Value[]): Output[] => {
  expectType('arithmetic', b!, a!.type);
  return [{ type: a!.type, shape: broadcast(a!.shape, b!.shape) }];
};
const alongAxis = ([x]: readonly Value[], { axis }: { readonly axis: number }): Output[] => {
  axisOf(x!, axis);
  return [x!];
};

/** Total over the operators: one without a rule does not compile. */
export const shapeRules: { readonly [K in OperatorName]: ShapeRule<K> } = {
  Add: binary,
  Sub: binary,
  Mul: binary,
  Div: binary,
  Exp: unary,
  Log: unary,
  Sqrt: unary,
  Erf: unary,
  Sigmoid: unary,
  Relu: unary,
  Gelu: activation,
  FastGelu: activation,
  QuickGelu: activation,
  Softmax: alongAxis,
  LogSoftmax: alongAxis,
  Greater: (inputs) => [{ type: 'bool', shape: binary(inputs)[0]!.shape }],
  Equal: (inputs) => [{ type: 'bool', shape: binary(inputs)[0]!.shape }],
  Where: ([condition, ...values]) => {
    expectType('Where condition', condition!, 'bool');
    const [{ type, shape }] = binary(values) as [Output];
    return [{ type, shape: broadcast(condition!.shape, shape) }];
  },
  Cast: ([x], { to }) => [{ type: to, shape: x!.shape }],
  MatMul: ([a, b]) => {
    expectType('MatMul', b!, a!.type);
    expectEqual('MatMul', 'inner sizes', sizeAt(a!, -1), sizeAt(b!, -2));
    const batch = broadcast(a!.shape.slice(0, -2), b!.shape.slice(0, -2));
    return [{ type: a!.type, shape: [...batch, sizeAt(a!, -2), sizeAt(b!, -1)] }];
  },
  Gemm: ([a, b, c], { transA, transB }) => {
    expectRank('Gemm', a!, 2);
    expectRank('Gemm', b!, 2);
    for (const other of c ? [b!, c] : [b!]) expectType('Gemm', other, a!.type);
    const [rows, inner] = transA ? [sizeAt(a!, 1), sizeAt(a!, 0)] : [sizeAt(a!, 0), sizeAt(a!, 1)];
    const [innerOfB, columns] = transB ? [sizeAt(b!, 1), sizeAt(b!, 0)] : [sizeAt(b!, 0), sizeAt(b!, 1)];
    expectEqual('Gemm', 'inner sizes', inner, innerOfB);
    if (c) expectShape('Gemm bias', broadcast([rows, columns], c.shape), [rows, columns]);
    return [{ type: a!.type, shape: [rows, columns] }];
  },
  LayerNormalization: ([x, scale, bias]) => {
    expectShape('LayerNormalization scale', scale!.shape, [sizeAt(x!, -1)]);
    expectShape('LayerNormalization bias', bias!.shape, [sizeAt(x!, -1)]);
    const statistics = { type: x!.type, shape: [...x!.shape.slice(0, -1), 1] };
    return [x!, statistics, statistics];
  },
  MultiHeadAttention: ([query, key, value, bias], { num_heads }) => {
    expectRank('MultiHeadAttention query', query!, 3);
    const [batch, queries, width] = query!.shape;
    const keys = sizeAt(key!, 1);
    if (typeof width !== 'number' || width % num_heads !== 0) {
      throw mismatch('MultiHeadAttention width', `a multiple of ${num_heads} heads`, String(width));
    }
    expectShape('MultiHeadAttention key', key!.shape, [batch!, keys, width]);
    expectShape('MultiHeadAttention value', value!.shape, [batch!, keys, width]);
    for (const other of bias ? [key!, value!, bias] : [key!, value!]) {
      expectType('MultiHeadAttention', other, query!.type);
    }
    if (bias) {
      const whole = [batch!, 1, queries!, keys];
      expectShape('MultiHeadAttention bias', bias.shape, whole.with(0, bias.shape[0] === 1 ? 1 : batch!));
    }
    return [query!, { type: query!.type, shape: [batch!, num_heads, queries!, keys] }];
  },
  RotaryEmbedding: ([x, , cosines, sines]) => {
    expectRank('RotaryEmbedding', x!, 3);
    const [, positions, width] = x!.shape;
    const half = sizeAt(cosines!, 1);
    if (typeof width !== 'number' || typeof half !== 'number' || width % (2 * half) !== 0) {
      throw mismatch('RotaryEmbedding width', `heads of two times ${half}`, String(width));
    }
    for (const angles of [cosines!, sines!]) {
      expectType('RotaryEmbedding angles', angles, x!.type);
      expectShape('RotaryEmbedding angles', angles.shape, [positions!, half]);
    }
    return [x!];
  },
  ReduceSum: reduce,
  ReduceMean: reduce,
  ReduceMax: reduce,
  ArgMax: ([x], { axis, keepdims }) => {
    const reduced = axisOf(x!, axis);
    const shape = keepdims ? x!.shape.with(reduced, 1) : x!.shape.toSpliced(reduced, 1);
    return [{ type: 'int64', shape }];
  },
  QuantizeLinear: ([x, step, zero]) => {
    expectType('QuantizeLinear', x!, 'float32');
    for (const scalar of [step, zero]) expectShape('QuantizeLinear step and zero', scalar!.shape, []);
    return [{ type: zero!.type, shape: x!.shape }];
  },
  MatMulIntegerToFloat: ([a, b, step, steps, zero, bias]) => {
    expectRank('MatMulIntegerToFloat', b!, 2);
    expectType('MatMulIntegerToFloat', a!, zero!.type);
    expectType('MatMulIntegerToFloat weights', b!, 'int8');
    const [inner, columns] = b!.shape as [Dimension, Dimension];
    expectEqual('MatMulIntegerToFloat', 'inner sizes', sizeAt(a!, -1), inner);
    expectShape('MatMulIntegerToFloat steps', steps!.shape, [columns]);
    expectShape('MatMulIntegerToFloat bias', bias!.shape, [columns]);
    return [{ type: step!.type, shape: a!.shape.with(-1, columns) }];
  },
  Dimensions: (_, { sizes }) => [{ type: 'int64', shape: [sizes.length] }],
  Reshape: ([x, shape]) => {
    const target = sizesIn(shape!);
    expectEqual('Reshape', 'numbers of elements', sizeOf(x!.shape), sizeOf(target));
    return [{ type: x!.type, shape: target }];
  },
  Expand: ([x, shape]) => {
    const target = sizesIn(shape!);
    expectShape('Expand', broadcast(x!.shape, target), target);
    return [{ type: x!.type, shape: target }];
  },
  Transpose: ([x], { perm }) => {
    const axes = [...perm].sort((a, b) => a - b);
    expectShape('Transpose permutation', axes, [...x!.shape.keys()]);
    return [{ type: x!.type, shape: perm.map((axis) => sizeAt(x!, axis)) }];
  },
  Concat: (values, { axis }) => {
    const [head] = values;
    if (!head) throw mismatch('Concat', 'at least one tensor', 'none');
    const others = head.shape.with(axisOf(head, axis), 0);
    for (const value of values) {
      expectType('Concat', value, head.type);
      expectRank('Concat', value, others.length);
      expectShape('Concat, but for its axis,', value.shape.with(axis, 0), others);
    }
    const total = values.map((value) => sizeAt(value, axis)).reduce(plus);
    return [{ type: head.type, shape: head.shape.with(axis, total) }];
  },
  Slice: ([x, start, end, axes]) => {
    const axis = axisOf(x!, integersIn(axes!)[0]!);
    const [from, to] = [sizesIn(start!)[0]!, sizesIn(end!)[0]!];
    const size = minus(to, from);
    const outside = [from, size, minus(sizeAt(x!, axis), to)].some((part) => Number(part) < 0);
    if (outside)
      throw mismatch('Slice', `a part of the ${sizeAt(x!, axis)} on axis ${axis}`, `${from} to ${to}`);
    return [{ type: x!.type, shape: x!.shape.with(axis, size) }];
  },
  Pad: ([x, amounts]) => {
    const sizes = sizesIn(amounts!);
    const rank = x!.shape.length;
    const usable = sizes.length === 2 * rank && !sizes.some((size) => Number(size) < 0);
    if (!usable) throw mismatch('Pad', `${2 * rank} amounts from 0 on`, formatShape(sizes));
    const shape = x!.shape.map((size, axis) => plus(size, plus(sizes[axis]!, sizes[rank + axis]!)));
    return [{ type: x!.type, shape }];
  },
  Gather: ([x, indices]) => {
    expectType('Gather indices', indices!, 'int64');
    axisOf(x!, 0);
    return [{ type: x!.type, shape: [...indices!.shape, ...x!.shape.slice(1)] }];
  },
  GatherElements: ([x, indices], { axis }) => {
    expectType('GatherElements indices', indices!, 'int64');
    expectRank('GatherElements indices', indices!, x!.shape.length);
    axisOf(x!, axis);
    return [{ type: x!.type, shape: indices!.shape }];
  },
  TopK: ([x, count], { axis }) => {
    const most = integersIn(count!)[0]!;
    const size = sizeAt(x!, axis);
    if (most > Number(size)) throw mismatch('TopK', `at most the ${size} on axis ${axis}`, `${most}`);
    const shape = x!.shape.with(axis, most);
    return [
      { type: x!.type, shape },
      { type: 'int64', shape },
    ];
  },
  NonZero: ([x], { count }) => [{ type: 'int64', shape: [x!.shape.length, count] }],
  GatherND: ([x, indices]) => [{ type: x!.type, shape: shapeAtRows(x!, indices!) }],
  ScatterElements: ([x, indices, updates], { axis }) => {
    expectType('ScatterElements indices', indices!, 'int64');
    expectRank('ScatterElements indices', indices!, x!.shape.length);
    expectShape('ScatterElements updates', updates!.shape, indices!.shape);
    axisOf(x!, axis);
    return [x!];
  },
  ScatterND: ([x, indices, updates]) => {
    expectType('ScatterND updates', updates!, x!.type);
    expectShape('ScatterND updates', updates!.shape, shapeAtRows(x!, indices!));
    return [x!];
  },
};

/** The sizes that a value made by `dimensions` stands for. */
export function sizesIn(value: Value): Shape {
  const { origin } = value;
  if (origin.kind === 'result' && origin.node.operator === 'Dimensions') {
    return (origin.node.attributes as Attributes['Dimensions']).sizes;
  }
  throw mismatch('a shape', 'a value made by dimensions()', origin.kind);
}

/** The numbers of an int64 constant. */
export function integersIn(value: Value): number[] {
  const { origin } = value;
  if (origin.kind === 'constant') return Array.from(origin.data, Number);
  throw mismatch('axes', 'a constant', origin.kind);
}

/** Axes that a reduction sums over, counted from the front. */
export function reducedAxes(inputs: readonly Value[]): number[] {
  return integersIn(inputs[1]!).map((axis) => axisOf(inputs[0]!, axis));
}

function reduce(inputs: readonly Value[], { keepdims }: Attributes['ReduceSum']): Output[] {
  const [x] = inputs;
  const axes = reducedAxes(inputs);
  const shape = keepdims
    ? x!.shape.map((size, axis) => (axes.includes(axis) ? 1 : size))
    : x!.shape.filter((_, axis) => !axes.includes(axis));
  return [{ type: x!.type, shape }];
}

/** The shape of x's values at the positions that the rows of `indices` name. */
function shapeAtRows(x: Value, indices: Value): Shape {
  expectType('indices', indices, 'int64');
  const rank = x.shape.length;
  const depth = sizeAt(indices, -1);
  if (typeof depth === 'string' || depth < 1 || depth > rank) {
    throw mismatch('indices', `rows of 1 to ${rank} coordinates`, `rows of ${depth}`);
  }
  return [...indices.shape.slice(0, -1), ...x.shape.slice(depth)];
}

/** An axis counted from the front, if x has it. */
function axisOf(x: Value, axis: number): number {
  sizeAt(x, axis);
  return axis < 0 ? axis + x.shape.length : axis;
}

function expectType(subject: string, { type }: Value, expected: ElementType): void {
  if (type !== expected) throw mismatch(subject, `${expected} values`, type);
}

function expectRank(subject: string, { shape }: Value, rank: number): void {
  if (shape.length !== rank) throw mismatch(subject, `${rank} axes`, `shape ${formatShape(shape)}`);
}

function expectEqual(subject: string, what: string, a: Dimension, b: Dimension): void {
  if (a !== b) throw mismatch(subject, `equal ${what}`, `${a} and ${b}`);
}

function expectShape(subject: string, found: Shape, expected: Shape): void {
  if (!sameShape(found, expected)) throw mismatch(subject, formatShape(expected), formatShape(found));
}

function mismatch(subject: string, expected: string, found: string): LincirError {
  return new LincirError('bad-argument', { subject, expected, found });
}
