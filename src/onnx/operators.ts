/** The operators a graph is made of, their attributes, and the functions that apply them. */

import type { ElementType } from '../core/index.ts';
import { type Dimension, type Shape, sameShape, sizeOf } from './dimensions.ts';
import { shapeRules } from './shapes.ts';
import { constant, eightBits, integers, type Node, sizeAt, type Value } from './values.ts';

type None = Readonly<Record<string, never>>;
type Axis = { readonly axis: number };
type Reduction = { readonly keepdims: 0 | 1 };
type Transposition = { readonly perm: readonly number[] };

/**
 * Every operator and its attributes, by ONNX's names (`onnx.ai/onnx/operators`). Gelu, FastGelu, QuickGelu, RotaryEmbedding,
 * MultiHeadAttention and MatMulIntegerToFloat are ONNX Runtime's own. `Dimensions` is ours: the sizes of symbolic axes as an int64 vector.
 * So is NonZero's `count`, which is no part of the model.
 */
export interface Attributes {
  Add: None;
  Sub: None;
  Mul: None;
  Div: None;
  Exp: None;
  Log: None;
  Sqrt: None;
  Erf: None;
  Sigmoid: None;
  Relu: None;
  Gelu: None;
  FastGelu: None;
  QuickGelu: { readonly alpha: number };
  Greater: None;
  Equal: None;
  Where: None;
  Cast: { readonly to: ElementType };
  MatMul: None;
  Gemm: { readonly alpha: number; readonly transA: 0 | 1; readonly transB: 0 | 1 };
  Softmax: Axis;
  LogSoftmax: Axis;
  LayerNormalization: { readonly axis: -1; readonly epsilon: number };
  MultiHeadAttention: { readonly num_heads: number; readonly scale: number };
  RotaryEmbedding: { readonly interleaved: 1 };
  ReduceSum: Reduction;
  ReduceMean: Reduction;
  ReduceMax: Reduction;
  ArgMax: Axis & Reduction;
  QuantizeLinear: None;
  MatMulIntegerToFloat: None;
  Dimensions: { readonly sizes: Shape };
  Reshape: None;
  Expand: None;
  Transpose: Transposition;
  Concat: Axis;
  Slice: None;
  Pad: None;
  Gather: None;
  GatherElements: Axis;
  GatherND: None;
  ScatterElements: Axis & { readonly reduction: 'add' };
  ScatterND: None;
  TopK: Axis;
  NonZero: { readonly count: Dimension };
}

export type OperatorName = keyof Attributes;

/** Applies an operator: checks its inputs, infers its outputs' shapes, and returns the outputs. */
export function apply<K extends OperatorName>(
  operator: K,
  inputs: readonly Value[],
  attributes: Attributes[K],
): readonly Value[] {
  const outputs: Value[] = [];
  const node: Node<K> = { operator, inputs, attributes, outputs };
  shapeRules[operator](inputs, attributes).forEach(({ type, shape }, index) => {
    outputs.push({ type, shape, origin: { kind: 'result', node: node as Node, index } });
  });
  return outputs;
}

const none: None = {};
const first = (values: readonly Value[]): Value => values[0]!;

export const add = (a: Value, b: Value): Value => first(apply('Add', [a, b], none));
export const sub = (a: Value, b: Value): Value => first(apply('Sub', [a, b], none));
export const mul = (a: Value, b: Value): Value => first(apply('Mul', [a, b], none));
export const div = (a: Value, b: Value): Value => first(apply('Div', [a, b], none));
export const exp = (x: Value): Value => first(apply('Exp', [x], none));
export const log = (x: Value): Value => first(apply('Log', [x], none));
export const sqrt = (x: Value): Value => first(apply('Sqrt', [x], none));
export const erf = (x: Value): Value => first(apply('Erf', [x], none));
export const sigmoid = (x: Value): Value => first(apply('Sigmoid', [x], none));
export const relu = (x: Value): Value => first(apply('Relu', [x], none));
/** x Φ(x), with the error function, not its tanh approximation. */
export const gelu = (x: Value): Value => first(apply('Gelu', [x], none));
/** Φ(x) is about σ(slope (x + cubic x³)), which is the same as its tanh approximation. */
export const tanhGelu = { slope: Math.sqrt(8 / Math.PI), cubic: 0.044715 };
/** x Φ(x) with the tanh approximation of Φ, as SigLIP has it. */
export const fastGelu = (x: Value): Value => first(apply('FastGelu', [x], none));
/** x σ(αx); OpenAI's CLIP uses α = 1.702. */
export const quickGelu = (x: Value, alpha = 1.702): Value => first(apply('QuickGelu', [x], { alpha }));
export const greater = (a: Value, b: Value): Value => first(apply('Greater', [a, b], none));
export const equal = (a: Value, b: Value): Value => first(apply('Equal', [a, b], none));
export const where = (condition: Value, a: Value, b: Value): Value =>
  first(apply('Where', [condition, a, b], none));
export const cast = (x: Value, to: ElementType): Value =>
  x.type === to ? x : first(apply('Cast', [x], { to }));

export const matmul = (a: Value, b: Value): Value => first(apply('MatMul', [a, b], none));

/** alpha * A' B' + C for matrices, where ' transposes when asked to. */
export function gemm(
  a: Value,
  b: Value,
  options: { c?: Value; alpha?: number; transA?: boolean; transB?: boolean } = {},
): Value {
  const { c, alpha = 1, transA = false, transB = false } = options;
  return first(
    apply('Gemm', c ? [a, b, c] : [a, b], { alpha, transA: transA ? 1 : 0, transB: transB ? 1 : 0 }),
  );
}

export const softmax = (x: Value, axis = -1): Value => first(apply('Softmax', [x], { axis }));
export const logSoftmax = (x: Value, axis = -1): Value => first(apply('LogSoftmax', [x], { axis }));

/** Normalises the last axis; also gives the mean and the inverse standard deviation, which the gradient uses. */
export function layerNormalization(x: Value, scale: Value, bias: Value, epsilon: number): readonly Value[] {
  return apply('LayerNormalization', [x, scale, bias], { axis: -1, epsilon });
}

/**
 * softmax(scale Q K' + bias) V for every head. Query [batch, queries, width], key and value
 * [batch, keys, width], bias [batch or 1, 1, queries, keys].
 */
export function multiHeadAttention(
  [query, key, value, bias]: readonly [Value, Value, Value, (Value | undefined)?],
  heads: number,
  scale: number,
): Value {
  const inputs = bias ? [query, key, value, bias] : [query, key, value];
  return first(apply('MultiHeadAttention', inputs, { num_heads: heads, scale }));
}

/**
 * Turns each pair of neighbouring channels by an angle of its position, the same in all heads (Su et al., 2021):
 * (a, b) becomes (a cos - b sin, a sin + b cos).
 * @param x [batch, positions, width]
 * @param cosines of the angles, [positions, half a head's width], as `sines`
 */
export const rotate = (x: Value, cosines: Value, sines: Value): Value =>
  first(apply('RotaryEmbedding', [x, integers([0]), cosines, sines], { interleaved: 1 }));

/** The sum over `axes`; over none of them, x itself (ONNX would sum over all). */
export const reduceSum = (x: Value, axes: readonly number[], keep = false): Value =>
  axes.length === 0 ? x : first(apply('ReduceSum', [x, integers(axes)], { keepdims: keep ? 1 : 0 }));
/** The mean over `axes`; over none of them, x itself. */
export const reduceMean = (x: Value, axes: readonly number[], keep = false): Value =>
  axes.length === 0 ? x : first(apply('ReduceMean', [x, integers(axes)], { keepdims: keep ? 1 : 0 }));

/** The largest over `axes`; over none of them, x itself. */
export const reduceMax = (x: Value, axes: readonly number[], keep = false): Value =>
  axes.length === 0 ? x : first(apply('ReduceMax', [x, integers(axes)], { keepdims: keep ? 1 : 0 }));

/** The place of the largest along an axis (int64), whose size becomes 1. Of equal ones, the first. */
export const argMax = (x: Value, axis: number): Value => first(apply('ArgMax', [x], { axis, keepdims: 1 }));

/**
 * The places of all that is true or not 0, in row-major order: [axes, count].
 * @param count how many there will be. A symbol is that of an input
 */
export const nonZero = (x: Value, count: Dimension): Value => first(apply('NonZero', [x], { count }));

/** How numbers are written with 8 bits: as round(x / step) + zero, from 0 to 255. */
export interface EightBitGrid {
  readonly step: number;
  readonly zero: number;
}

/** x on a grid, as uint8. What lies outside becomes the grid's nearest end. */
export const quantize = (x: Value, { step, zero }: EightBitGrid): Value =>
  first(apply('QuantizeLinear', [x, constant(step), eightBits(Uint8Array.of(zero))], none));

/**
 * The product of x on a grid, uint8 [rows, in], with weights, int8 [in, out], each of whose columns has its own step,
 * float32 [out]; plus a bias [out].
 */
export function eightBitProduct(
  x: Value,
  { step, zero }: EightBitGrid,
  weights: Value,
  steps: Value,
  bias: Value,
): Value {
  const inputs = [x, weights, constant(step), steps, eightBits(Uint8Array.of(zero)), bias];
  return first(apply('MatMulIntegerToFloat', inputs, none));
}

/** The sizes as an int64 vector, computed from the graph's inputs when it runs. */
export const dimensions = (sizes: Shape): Value => first(apply('Dimensions', [], { sizes }));
export const reshape = (x: Value, shape: Shape): Value =>
  sameShape(x.shape, shape) ? x : first(apply('Reshape', [x, dimensions(shape)], none));
export const expand = (x: Value, shape: Shape): Value =>
  sameShape(x.shape, shape) ? x : first(apply('Expand', [x, dimensions(shape)], none));
export const transpose = (x: Value, perm: readonly number[]): Value =>
  first(apply('Transpose', [x], { perm }));
export const concat = (values: readonly Value[], axis: number): Value =>
  first(apply('Concat', values, { axis }));

/** The part [start, end) of one axis. */
export const slice = (x: Value, axis: number, start: Dimension, end: Dimension): Value =>
  first(apply('Slice', [x, dimensions([start]), dimensions([end]), integers([axis])], none));

/** Zeros before and after, for every axis: [before0, before1, …, after0, after1, …]. */
export const pad = (x: Value, amounts: Shape): Value => first(apply('Pad', [x, dimensions(amounts)], none));

/** The rows of `x` (its first axis) at `indices`: [...indices.shape, ...x.shape from 1 on]. */
export const gather = (x: Value, indices: Value): Value => first(apply('Gather', [x, indices], none));
export const gatherElements = (x: Value, indices: Value, axis: number): Value =>
  first(apply('GatherElements', [x, indices], { axis }));
/** x at the positions that the rows of `indices` name: indices [n, k], result [n, ...x.shape from k on]. */
export const gatherND = (x: Value, indices: Value): Value => first(apply('GatherND', [x, indices], none));
export const addAtElements = (x: Value, indices: Value, updates: Value, axis: number): Value =>
  first(apply('ScatterElements', [x, indices, updates], { axis, reduction: 'add' }));
/** A copy of x with `updates` at the positions that the rows of `indices` name, each position at most once. */
export const scatterND = (x: Value, indices: Value, updates: Value): Value =>
  first(apply('ScatterND', [x, indices, updates], none));

/** The `count` largest along the last axis, the largest first, and their places (int64). Of equal ones, the first places. */
export function topK(x: Value, count: number): readonly [Value, Value] {
  const [largest, places] = apply('TopK', [x, integers([count])], { axis: -1 });
  return [largest!, places!];
}

/**
 * A copy of x in which `updates` are added at the positions that the rows of `indices` name, however often each.
 * ONNX Runtime's own ScatterND with this reduction loses sums where rows repeat and several threads work
 * (microsoft/onnxruntime#23396); its ScatterElements does not.
 */
export function addAtPositions(x: Value, indices: Value, updates: Value): Value {
  const depth = Number(sizeAt(indices, -1));
  const [count, area] = [sizeOf(indices.shape.slice(0, -1)), sizeOf(x.shape.slice(depth))];
  const strides = x.shape.slice(0, depth).map((_, axis) => sizeOf(x.shape.slice(axis + 1, depth)));
  const rows = reduceSum(mul(indices, dimensions(strides)), [-1]); // each position as a number
  const sum = addAtElements(
    reshape(x, [sizeOf(x.shape.slice(0, depth)), area]),
    expand(reshape(rows, [count, 1]), [count, area]),
    reshape(updates, [count, area]),
    0,
  );
  return reshape(sum, x.shape);
}
