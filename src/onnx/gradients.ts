/** Reverse-mode differentiation: the gradient of a scalar as more of the same graph, one rule per operator. */

import { LincirError } from '../core/index.ts';
import { joinHeads, ofAllHeads, splitHeads, transposed } from './attention.ts';
import { type Dimension, formatShape, minus, plus, type Shape, sameShape, sizeOf } from './dimensions.ts';
import { dependencies } from './model.ts';
import * as op from './operators.ts';
import { wantedRows } from './rows.ts';
import { integersIn, reducedAxes, sizesIn } from './shapes.ts';
import { constant, type Node, sizeAt, type Value } from './values.ts';

/** Returns the gradients of a node's inputs from those of its outputs. `undefined`: the input has none. */
type GradientRule<K extends op.OperatorName> = (
  node: Node<K>,
  gradient: Value,
) => readonly (Value | undefined)[];

/** For operators whose outputs do not vary smoothly with any input. */
const notDifferentiable = 'not differentiable';

/**
 * The gradient of `loss` with respect to each of `targets`, shaped like them.
 * @param cotangent the gradient by `loss` of what is wanted, shaped like it, if it is not a scalar: what depends on the
 *   targets there counts as constant
 * @throws LincirError 'bad-argument' where the loss does not depend on a target.
 */
export function gradients(loss: Value, targets: readonly Value[], cotangent?: Value): Value[] {
  const { shape } = cotangent ?? constant(1);
  if (!sameShape(loss.shape, shape)) {
    throw refuse('a loss', cotangent ? formatShape(shape) : 'a scalar', formatShape(loss.shape));
  }
  const order = nodesBetween(targets, loss);
  const found = new Map<Value, Value>([[loss, cotangent ?? constant(1)]]);
  for (const node of order.reverse()) {
    const [output, ...others] = node.outputs;
    if (others.some((other) => found.has(other))) {
      throw refuse(node.operator, 'gradients of its first output only', 'a second derivative');
    }
    const gradient = found.get(output!);
    const rule = gradientRules[node.operator] as GradientRule<op.OperatorName> | typeof notDifferentiable;
    if (!gradient || rule === notDifferentiable) continue;
    rule(node, gradient).forEach((part, index) => {
      const target = node.inputs[index]!;
      const sum = found.get(target);
      if (part) found.set(target, sum ? op.add(sum, part) : part);
    });
  }
  return targets.map((target) => {
    const gradient = found.get(target);
    if (!gradient) throw refuse('gradients()', 'a loss that depends on every target', 'one that does not');
    return gradient;
  });
}

/** The nodes on the paths from `targets` to `end`, each after those it depends on. */
function nodesBetween(targets: readonly Value[], end: Value): Node[] {
  const varying = new Set(targets);
  return dependencies([end]).nodes.filter((node) => {
    if (!node.inputs.some((input) => varying.has(input))) return false;
    for (const output of node.outputs) varying.add(output);
    return true;
  });
}

/** Total over the operators: one without an entry does not compile. */
const gradientRules: {
  readonly [K in op.OperatorName]: GradientRule<K> | typeof notDifferentiable;
} = {
  Add: ({ inputs: [a, b] }, g) => [sumTo(g, a!.shape), sumTo(g, b!.shape)],
  Sub: ({ inputs: [a, b] }, g) => [sumTo(g, a!.shape), sumTo(negative(g), b!.shape)],
  Mul: ({ inputs: [a, b] }, g) => [sumTo(op.mul(g, b!), a!.shape), sumTo(op.mul(g, a!), b!.shape)],
  Div: ({ inputs: [a, b], outputs: [y] }, g) => {
    const overB = op.div(g, b!);
    return [sumTo(overB, a!.shape), sumTo(negative(op.mul(overB, y!)), b!.shape)];
  },
  Exp: ({ outputs: [y] }, g) => [op.mul(g, y!)],
  Log: ({ inputs: [x] }, g) => [op.div(g, x!)],
  Sqrt: ({ outputs: [y] }, g) => [op.div(g, scaled(y!, 2))],
  Erf: ({ inputs: [x] }, g) => [op.mul(g, scaled(gaussian(x!, 1), 2 / Math.sqrt(Math.PI)))],
  Sigmoid: ({ outputs: [y] }, g) => [op.mul(g, op.mul(y!, op.sub(constant(1), y!)))],
  Relu: ({ inputs: [x] }, g) => [op.where(op.greater(x!, constant(0)), g, constant(0))],
  Gelu: ({ inputs: [x], outputs: [, cumulative] }, g) => {
    const density = scaled(gaussian(x!, 0.5), 1 / Math.sqrt(2 * Math.PI));
    return [op.mul(g, op.add(cumulative!, op.mul(x!, density)))];
  },
  FastGelu: ({ inputs: [x], outputs: [y, s] }, g) => {
    // y = x s with s = σ(slope (x + cubic x³)), so dy/dx = s + y (1 - s) slope (1 + 3 cubic x²).
    const { slope, cubic } = op.tanhGelu;
    const inner = op.add(constant(slope), scaled(op.mul(x!, x!), 3 * slope * cubic));
    return [op.mul(g, op.add(s!, op.mul(inner, op.mul(y!, op.sub(constant(1), s!)))))];
  },
  QuickGelu: ({ outputs: [y, s], attributes: { alpha } }, g) => {
    // y = x s with s = σ(αx), so dy/dx = s + αy (1 - s).
    return [op.mul(g, op.add(s!, op.mul(scaled(y!, alpha), op.sub(constant(1), s!))))];
  },
  Greater: notDifferentiable,
  Equal: notDifferentiable,
  Where: ({ inputs: [condition, a, b] }, g) => [
    undefined,
    sumTo(op.where(condition!, g, constant(0)), a!.shape),
    sumTo(op.where(condition!, constant(0), g), b!.shape),
  ],
  Cast: ({ inputs: [x] }, g) => [x!.type.includes('float') ? op.cast(g, x!.type) : undefined],
  MatMul: ({ inputs: [a, b] }, g) => [
    sumTo(op.matmul(g, transposed(b!)), a!.shape),
    sumTo(op.matmul(transposed(a!), g), b!.shape),
  ],
  Gemm: ({ inputs: [a, b, c], attributes: { alpha, transA, transB } }, g) => [
    transA
      ? op.gemm(b!, g, { alpha, transA: transB === 1, transB: true })
      : op.gemm(g, b!, { alpha, transB: transB === 0 }),
    transB
      ? op.gemm(g, a!, { alpha, transA: true, transB: transA === 1 })
      : op.gemm(a!, g, { alpha, transA: transA === 0 }),
    c && sumTo(g, c.shape),
  ],
  Softmax: ({ outputs: [y], attributes: { axis } }, g) => [softmaxGradient(y!, g, axis)],
  LogSoftmax: ({ outputs: [y], attributes: { axis } }, g) => [
    op.sub(g, op.mul(op.exp(y!), op.reduceSum(g, [axis], true))),
  ],
  LayerNormalization: ({ inputs: [x, scale, bias], outputs: [, mean, inverseDeviation] }, g) => {
    // With y = c / σ for c = x - mean, dx = (h - mean(h) - c mean(h c) / σ²) / σ
    const centred = op.sub(x!, mean!);
    const h = op.mul(g, scale!);
    const along = op.mul(
      op.reduceMean(op.mul(h, centred), [-1], true),
      op.mul(inverseDeviation!, inverseDeviation!),
    );
    const across = op.sub(op.sub(h, op.reduceMean(h, [-1], true)), op.mul(centred, along));
    return [
      op.mul(inverseDeviation!, across),
      sumTo(op.mul(g, op.mul(centred, inverseDeviation!)), scale!.shape),
      sumTo(g, bias!.shape),
    ];
  },
  MultiHeadAttention: ({ inputs, outputs: [, weights], attributes: { num_heads, scale } }, g) => {
    const [query, key, value, bias] = inputs;
    const batch = sizeAt(query!, 0);
    const [q, k, v, context] = [query!, key!, value!, g].map((x) => splitHeads(x, num_heads)) as Four<Value>;
    const byWeights = op.reshape(op.matmul(context, transposed(v)), weights!.shape);
    const byScores = softmaxGradient(weights!, byWeights, -1);
    const [ofWeights, ofScores] = [ofAllHeads(weights!), ofAllHeads(byScores)];
    return [
      joinHeads(scaled(op.matmul(ofScores, k), scale), num_heads, batch),
      joinHeads(scaled(op.matmul(transposed(ofScores), q), scale), num_heads, batch),
      joinHeads(op.matmul(transposed(ofWeights), context), num_heads, batch),
      bias && sumTo(byScores, bias.shape),
    ];
  },
  // The angles are constants of a model: they have no gradients.
  RotaryEmbedding: ({ inputs: [, , cosines, sines] }, g) => [op.rotate(g, cosines!, negative(sines!))],
  ReduceSum: ({ inputs }, g) => [spread(g, inputs)],
  ReduceMean: ({ inputs }, g) => {
    const count = sizeOf(reducedAxes(inputs).map((axis) => sizeAt(inputs[0]!, axis)));
    return [spread(op.div(g, asFloat(count)), inputs)];
  },
  ReduceMax: notDifferentiable,
  ArgMax: notDifferentiable,
  QuantizeLinear: notDifferentiable,
  MatMulIntegerToFloat: notDifferentiable,
  Dimensions: notDifferentiable,
  Reshape: ({ inputs: [x] }, g) => [op.reshape(g, x!.shape)],
  Expand: ({ inputs: [x] }, g) => [sumTo(g, x!.shape)],
  Transpose: ({ attributes: { perm } }, g) => [
    op.transpose(
      g,
      [...perm.keys()].map((axis) => perm.indexOf(axis)),
    ),
  ],
  Concat: ({ inputs, attributes: { axis } }, g) => {
    let end: Dimension = 0;
    return inputs.map((input) => {
      const start = end;
      end = plus(start, sizeAt(input, axis));
      return op.slice(g, axis, start, end);
    });
  },
  Slice: ({ inputs: [x, start, end, axes] }, g) => {
    const axis = integersIn(axes!)[0]!;
    const nothing: Dimension[] = x!.shape.map(() => 0);
    const after = minus(sizeAt(x!, axis), sizesIn(end!)[0]!);
    return [op.pad(g, [...nothing.with(axis, sizesIn(start!)[0]!), ...nothing.with(axis, after)])];
  },
  Pad: ({ inputs: [x, amounts] }, g) => {
    const sizes = sizesIn(amounts!);
    return [
      x!.shape.reduce((part: Value, size, axis) => {
        const before = sizes[axis]!;
        const whole = size === sizeAt(part, axis);
        return whole ? part : op.slice(part, axis, before, plus(before, size));
      }, g),
    ];
  },
  Gather: ({ inputs: [x, indices] }, g) => {
    const rows = op.reshape(indices!, [...indices!.shape, 1]);
    return [op.addAtPositions(zeros(x!.shape), rows, g)];
  },
  GatherElements: ({ inputs: [x, indices], attributes: { axis } }, g) => [
    op.addAtElements(zeros(x!.shape), indices!, g, axis),
  ],
  NonZero: notDifferentiable,
  TopK: ({ inputs: [x], outputs: [, places], attributes: { axis } }, g) => [
    op.addAtElements(zeros(x!.shape), places!, g, axis),
  ],
  GatherND: ({ inputs: [x, indices] }, g) => [op.addAtPositions(zeros(x!.shape), indices!, g)],
  ScatterElements: ({ inputs: [, indices], attributes: { axis } }, g) => [
    g,
    undefined,
    op.gatherElements(g, indices!, axis),
  ],
  ScatterND: ({ inputs: [, indices, updates] }, g) => [
    op.scatterND(g, indices!, zeros(updates!.shape)),
    undefined,
    wantedRows(g, indices!),
  ],
};

type Four<T> = [T, T, T, T];

const scaled = (x: Value, factor: number): Value => (factor === 1 ? x : op.mul(x, constant(factor)));
const negative = (x: Value): Value => scaled(x, -1);
const zeros = (shape: Shape): Value => op.expand(constant(0), shape);
/** exp(-a x²) */
const gaussian = (x: Value, a: number): Value => op.exp(scaled(op.mul(x, x), -a));

function asFloat(size: Dimension): Value {
  if (typeof size === 'number') return constant(size);
  return op.reshape(op.cast(op.dimensions([size]), 'float32'), []);
}

function softmaxGradient(y: Value, g: Value, axis: number): Value {
  const weighted = op.mul(g, y);
  return op.sub(weighted, op.mul(y, op.reduceSum(weighted, [axis], true)));
}

/** Undoes broadcasting: sums `g` over the axes along which a value of `shape` was repeated. */
function sumTo(g: Value, shape: Shape): Value {
  const extra = g.shape.length - shape.length;
  const axes = [...g.shape.keys()].filter((axis) => axis < extra || shape[axis - extra] !== g.shape[axis]);
  return axes.length === 0 ? g : op.reshape(op.reduceSum(g, axes), shape);
}

/** The gradient of a sum: `g` repeated along the axes that were summed. */
function spread(g: Value, inputs: readonly Value[]): Value {
  const { shape } = inputs[0]!;
  const axes = reducedAxes(inputs);
  const kept = shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  return op.expand(op.reshape(g, kept), shape);
}

function refuse(subject: string, expected: string, found: string): LincirError {
  return new LincirError('bad-argument', { subject, expected, found });
}
