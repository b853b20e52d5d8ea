/** The shape rule of every operator: from its inputs, the types and shapes of its outputs. */

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
const binary = ([a, b]: readonly Value[]): Output[] => [
  { type: a!.type, shape: broadcast(a!.shape, b!.shape) },
];

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
  Gelu: unary,
  QuickGelu: unary,
  Softmax: unary,
  LogSoftmax: unary,
  Greater: ([a, b]) => [{ type: 'bool', shape: broadcast(a!.shape, b!.shape) }],
  Where: ([condition, a, b]) => [
    { type: a!.type, shape: broadcast(condition!.shape, broadcast(a!.shape, b!.shape)) },
  ],
  Cast: ([x], { to }) => [{ type: to, shape: x!.shape }],
  MatMul: ([a, b]) => {
    expectEqual('MatMul', 'inner sizes', sizeAt(a!, -1), sizeAt(b!, -2));
    const batch = broadcast(a!.shape.slice(0, -2), b!.shape.slice(0, -2));
    return [{ type: a!.type, shape: [...batch, sizeAt(a!, -2), sizeAt(b!, -1)] }];
  },
  Gemm: ([a, b, c], { transA, transB }) => {
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
    const [batch, queries, width] = query!.shape;
    const keys = sizeAt(key!, 1);
    if (typeof width !== 'number' || width % num_heads !== 0) {
      throw mismatch('MultiHeadAttention width', `a multiple of ${num_heads} heads`, String(width));
    }
    expectShape('MultiHeadAttention key', key!.shape, [batch!, keys, width]);
    expectShape('MultiHeadAttention value', value!.shape, [batch!, keys, width]);
    if (bias) {
      const whole = [batch!, 1, queries!, keys];
      expectShape('MultiHeadAttention bias', broadcast(bias.shape, whole), whole);
    }
    return [query!];
  },
  ReduceSum: reduce,
  ReduceMean: reduce,
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
    for (const value of values) {
      expectShape('Concat', value.shape.with(axis, 0), head!.shape.with(axis, 0));
    }
    const total = values.map((value) => sizeAt(value, axis)).reduce(plus);
    return [{ type: head!.type, shape: head!.shape.with(axis, total) }];
  },
  Slice: ([x, start, end, axes]) => {
    const [axis] = integersIn(axes!);
    return [{ type: x!.type, shape: x!.shape.with(axis!, minus(sizesIn(end!)[0]!, sizesIn(start!)[0]!)) }];
  },
  Pad: ([x, amounts]) => {
    const sizes = sizesIn(amounts!);
    const rank = x!.shape.length;
    expectEqual('Pad', 'amounts', sizes.length, 2 * rank);
    const shape = x!.shape.map((size, axis) => plus(size, plus(sizes[axis]!, sizes[rank + axis]!)));
    return [{ type: x!.type, shape }];
  },
  Gather: ([x, indices]) => [{ type: x!.type, shape: [...indices!.shape, ...x!.shape.slice(1)] }],
  GatherElements: ([x, indices]) => [{ type: x!.type, shape: indices!.shape }],
  GatherND: ([x, indices]) => [
    { type: x!.type, shape: [...indices!.shape.slice(0, -1), ...x!.shape.slice(indexDepth(indices!))] },
  ],
  ScatterElements: ([x, indices, updates]) => {
    expectShape('ScatterElements updates', updates!.shape, indices!.shape);
    return [x!];
  },
  ScatterND: ([x, indices, updates]) => {
    const expected = [...indices!.shape.slice(0, -1), ...x!.shape.slice(indexDepth(indices!))];
    expectShape('ScatterND updates', updates!.shape, expected);
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
  const rank = inputs[0]!.shape.length;
  return integersIn(inputs[1]!).map((axis) => (axis < 0 ? axis + rank : axis));
}

function reduce(inputs: readonly Value[], { keepdims }: Attributes['ReduceSum']): Output[] {
  const [x] = inputs;
  const axes = reducedAxes(inputs);
  const shape = keepdims
    ? x!.shape.map((size, axis) => (axes.includes(axis) ? 1 : size))
    : x!.shape.filter((_, axis) => !axes.includes(axis));
  return [{ type: x!.type, shape }];
}

/** How many axes of the data one row of indices names. */
function indexDepth(indices: Value): number {
  const depth = sizeAt(indices, -1);
  if (typeof depth === 'number') return depth;
  throw mismatch('indices', 'a known number of coordinates', depth);
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
