/** The graph language a second time: every operator written naively, in double precision, to test the engine against. */

import type { Shape } from '../src/onnx/dimensions.ts';
import type { Dimension, Value } from '../src/onnx/index.ts';
import type { Attributes, OperatorName } from '../src/onnx/operators.ts';
import {
  type Array64,
  along,
  at,
  broadcastShapes,
  indicesOf,
  map,
  offset,
  stretched,
  tabulate,
  transposed,
} from './array64.ts';

type Result = Extract<Value['origin'], { kind: 'result' }>;
type Evaluate<K extends OperatorName> = (
  inputs: readonly Array64[],
  attributes: Attributes[K],
  sizes: (shape: Shape) => number[],
) => Array64 | readonly Array64[];

/** Computes `outputs` from values that are given; their shapes say what the symbols stand for. */
export function evaluate<Name extends string>(
  outputs: Readonly<Record<Name, Value>>,
  given: ReadonlyMap<Value, Array64>,
): Record<Name, Array64> {
  const known = new Map(given);
  const symbols = new Map<Dimension, number>();
  for (const [{ shape }, found] of given) {
    for (const [axis, size] of shape.entries()) symbols.set(size, found.shape[axis]!);
  }
  const sizes = (shape: Shape): number[] => shape.map((size) => sizeOf(size, symbols));

  const pending = Object.values<Value>(outputs);
  while (pending.length > 0) {
    const value = pending.at(-1)!;
    const { origin } = value;
    const missing = origin.kind === 'result' ? origin.node.inputs.filter((input) => !known.has(input)) : [];
    if (missing.length > 0 && !known.has(value)) {
      pending.push(...missing);
      continue;
    }
    pending.pop();
    if (known.has(value)) continue;
    if (origin.kind === 'constant') {
      known.set(value, { shape: sizes(value.shape), data: Float64Array.from(origin.data, Number) });
    } else if (origin.kind === 'result') {
      for (const [output, result] of compute(origin, known, sizes)) known.set(output, result);
    } else {
      throw new Error(`no values for an ${origin.kind}`);
    }
  }
  const entries = Object.entries<Value>(outputs).map(([name, value]) => [name, known.get(value)!]);
  return Object.fromEntries(entries);
}

function compute(
  { node }: Result,
  known: ReadonlyMap<Value, Array64>,
  sizes: (shape: Shape) => number[],
): [Value, Array64][] {
  const inputs = node.inputs.map((input) => known.get(input)!);
  const results = [
    (operators[node.operator] as Evaluate<OperatorName>)(inputs, node.attributes, sizes),
  ].flat();
  return node.outputs.map((output, index) => {
    const result = results[index]!;
    const shape = sizes(output.shape);
    if (`${shape}` !== `${result.shape}`) {
      throw new Error(`${node.operator}: the shape rule says [${shape}], the reference [${result.shape}]`);
    }
    return [output, result];
  });
}

/** Total over the operators: one without a reference does not compile. */
const operators: { readonly [K in OperatorName]: Evaluate<K> } = {
  Add: elementwise((a, b) => a + b),
  Sub: elementwise((a, b) => a - b),
  Mul: elementwise((a, b) => a * b),
  Div: elementwise((a, b) => a / b),
  Exp: elementwise(Math.exp),
  Log: elementwise(Math.log),
  Sqrt: elementwise(Math.sqrt),
  Erf: elementwise(erf),
  Sigmoid: elementwise(sigmoid),
  Relu: elementwise((x) => Math.max(x, 0)),
  Gelu: ([x]) => timesFactor(x!, (value) => (1 + erf(value / Math.SQRT2)) / 2),
  FastGelu: ([x]) =>
    timesFactor(x!, (value) => sigmoid(Math.sqrt(8 / Math.PI) * (value + 0.044715 * value ** 3))),
  QuickGelu: ([x], { alpha }) => timesFactor(x!, (value) => sigmoid(alpha * value)),
  Greater: elementwise((a, b) => (a > b ? 1 : 0)),
  Equal: elementwise((a, b) => (a === b ? 1 : 0)),
  Where: elementwise((condition, a, b) => (condition === 0 ? b : a)),
  Cast: ([x], { to }) =>
    map(x!, (value) =>
      to === 'bool' ? Number(value !== 0) : to.includes('float') ? value : Math.trunc(value),
    ),
  MatMul: ([a, b]) => {
    const [inner, columns] = b!.shape.slice(-2);
    const batch = broadcastShapes(a!.shape.slice(0, -2), b!.shape.slice(0, -2));
    return tabulate([...batch, a!.shape.at(-2)!, columns!], (index) => {
      const [row, column] = index.slice(-2);
      const outer = index.slice(0, -2);
      return sum(inner!, (k) => stretched(a!, [...outer, row!, k]) * stretched(b!, [...outer, k, column!]));
    });
  },
  Gemm: ([a, b, c], { alpha, transA, transB }) => {
    const A = transA ? transposed(a!) : a!;
    const B = transB ? transposed(b!) : b!;
    return tabulate([A.shape[0]!, B.shape[1]!], (index) => {
      const product = sum(A.shape[1]!, (k) => at(A, [index[0]!, k]) * at(B, [k, index[1]!]));
      return alpha * product + (c ? stretched(c, index) : 0);
    });
  },
  Softmax: ([x], { axis }) =>
    tabulate(x!.shape, (index) => softmax(along(x!, index, axis))[index.at(axis)!]!),
  LogSoftmax: ([x], { axis }) =>
    tabulate(x!.shape, (index) => Math.log(softmax(along(x!, index, axis))[index.at(axis)!]!)),
  LayerNormalization: ([x, scale, bias], { axis, epsilon }) => {
    const { shape } = x!;
    const mean = tabulate(shape.with(axis, 1), (index) => average(along(x!, index, axis)));
    const inverse = tabulate(shape.with(axis, 1), (index) => {
      const deviations = along(x!, index, axis).map((value) => value - at(mean, index));
      return 1 / Math.sqrt(average(deviations.map((value) => value ** 2)) + epsilon);
    });
    const y = tabulate(shape, (index) => {
      const normal = (at(x!, index) - stretched(mean, index)) * stretched(inverse, index);
      return normal * stretched(scale!, index) + stretched(bias!, index);
    });
    return [y, mean, inverse];
  },
  MultiHeadAttention: ([query, key, value, bias], { num_heads, scale }) => {
    const [, keys, width] = key!.shape;
    const size = width! / num_heads;
    const [batches, queries] = query!.shape;
    const scores = tabulate([batches!, num_heads, queries!, keys!], ([batch, head, row, column]) => {
      const channel = (k: number) => head! * size + k;
      const product = sum(
        size,
        (k) => at(query!, [batch!, row!, channel(k)]) * at(key!, [batch!, column!, channel(k)]),
      );
      return scale * product + (bias ? stretched(bias, [batch!, 0, row!, column!]) : 0);
    });
    const weights = tabulate(scores.shape, (index) => softmax(along(scores, index, -1))[index[3]!]!);
    const context = tabulate(query!.shape, ([batch, row, channel]) => {
      const head = Math.floor(channel! / size);
      return sum(
        keys!,
        (column) => at(weights, [batch!, head, row!, column]) * at(value!, [batch!, column, channel!]),
      );
    });
    return [context, weights];
  },
  RotaryEmbedding: ([x, , cosines, sines]) =>
    tabulate(x!.shape, ([batch, position, channel]) => {
      const pair = Math.floor(channel! / 2);
      const [a, b] = [0, 1].map((which) => at(x!, [batch!, position!, 2 * pair + which])) as [number, number];
      const [cosine, sine] = [cosines!, sines!].map((angles) =>
        at(angles, [position!, pair % angles.shape[1]!]),
      ) as [number, number];
      return channel! % 2 === 0 ? a * cosine - b * sine : a * sine + b * cosine;
    }),
  ReduceSum: ([x, axes], { keepdims }) => reduce(x!, axes!, keepdims).total,
  ReduceMean: ([x, axes], { keepdims }) => {
    const { total, count } = reduce(x!, axes!, keepdims);
    return map(total, (value) => value / count);
  },
  ReduceMax: ([x, axes], { keepdims }) => reduce(x!, axes!, keepdims).largest,
  ArgMax: ([x], { axis, keepdims }) => {
    const shape = x!.shape.with(axis, 1);
    const { data } = tabulate(shape, (index) => {
      const values = along(x!, index, axis);
      return values.indexOf(Math.max(...values));
    });
    return { shape: keepdims ? shape : x!.shape.filter((_, at) => at !== axis), data };
  },
  QuantizeLinear: ([x, step, zero]) =>
    map(x!, (value) => Math.min(Math.max(roundToEven(value / step!.data[0]!) + zero!.data[0]!, 0), 255)),
  MatMulIntegerToFloat: ([a, b, step, steps, zero, bias]) =>
    tabulate(a!.shape.with(-1, b!.shape[1]!), (index) => {
      const [row, column] = [index.slice(0, -1), index.at(-1)!];
      const product = sum(b!.shape[0]!, (k) => (at(a!, [...row, k]) - zero!.data[0]!) * at(b!, [k, column]));
      return product * step!.data[0]! * steps!.data[column]! + bias!.data[column]!;
    }),
  Dimensions: (_, attributes, sizes) => {
    const data = Float64Array.from(sizes(attributes.sizes));
    return { shape: [data.length], data };
  },
  Reshape: ([x, shape]) => ({ shape: [...shape!.data], data: x!.data }),
  Expand: ([x, shape]) => tabulate([...shape!.data], (index) => stretched(x!, index)),
  Transpose: ([x], { perm }) => {
    const shape = perm.map((axis) => x!.shape[axis]!);
    return tabulate(shape, (index) =>
      at(
        x!,
        perm.map((_, axis) => index[perm.indexOf(axis)]!),
      ),
    );
  },
  Concat: (values, { axis }) => {
    const total = values.reduce((size, value) => size + value.shape.at(axis)!, 0);
    return tabulate(values[0]!.shape.with(axis, total), (index) => {
      let position = index.at(axis)!;
      const part = values.find(({ shape }) => {
        if (position < shape.at(axis)!) return true;
        position -= shape.at(axis)!;
        return false;
      });
      return at(part!, index.with(axis, position));
    });
  },
  Slice: ([x, start, end, axes]) => {
    const axis = axes!.data[0]!;
    const [from, to] = [start!.data[0]!, end!.data[0]!];
    return tabulate(x!.shape.with(axis, to - from), (index) =>
      at(x!, index.with(axis, index.at(axis)! + from)),
    );
  },
  Pad: ([x, amounts]) => {
    const { shape } = x!;
    const [before, after] = [amounts!.data.slice(0, shape.length), amounts!.data.slice(shape.length)];
    const padded = shape.map((size, axis) => before[axis]! + size + after[axis]!);
    return tabulate(padded, (index) => {
      const inside = index.map((position, axis) => position - before[axis]!);
      return inside.every((position, axis) => position >= 0 && position < shape[axis]!) ? at(x!, inside) : 0;
    });
  },
  Gather: ([x, indices]) => {
    const rank = indices!.shape.length;
    return tabulate([...indices!.shape, ...x!.shape.slice(1)], (index) =>
      at(x!, [at(indices!, index.slice(0, rank)), ...index.slice(rank)]),
    );
  },
  GatherElements: ([x, indices], { axis }) =>
    tabulate(indices!.shape, (index) => at(x!, index.with(axis, at(indices!, index)))),
  TopK: ([x, count], { axis }) => {
    const shape = x!.shape.with(axis, count!.data[0]!);
    const places = tabulate(shape, (index) => {
      const values = along(x!, index, axis);
      return [...values.keys()].sort((a, b) => values[b]! - values[a]!)[index.at(axis)!]!;
    });
    return [tabulate(shape, (index) => at(x!, index.with(axis, at(places, index)))), places];
  },
  NonZero: ([x]) => {
    const places = indicesOf(x!.shape).filter((index) => at(x!, index) !== 0);
    return tabulate([x!.shape.length, places.length], ([axis, number]) => places[number!]![axis!]!);
  },
  GatherND: ([x, indices]) => {
    const outer = indices!.shape.slice(0, -1);
    return tabulate([...outer, ...x!.shape.slice(indices!.shape.at(-1)!)], (index) =>
      at(x!, [...along(indices!, [...index.slice(0, outer.length), 0], -1), ...index.slice(outer.length)]),
    );
  },
  ScatterElements: ([x, indices, updates], { axis }) => {
    const result = map(x!, (value) => value);
    for (const index of indicesOf(updates!.shape)) {
      result.data[offset(x!, index.with(axis, at(indices!, index)))]! += at(updates!, index);
    }
    return result;
  },
  ScatterND: ([x, indices, updates]) => {
    const result = map(x!, (value) => value);
    const rank = indices!.shape.length - 1;
    for (const index of indicesOf(updates!.shape)) {
      const row = along(indices!, [...index.slice(0, rank), 0], -1);
      result.data[offset(x!, [...row, ...index.slice(rank)])] = at(updates!, index);
    }
    return result;
  },
};

/** 2/√π e^(-x²) Σ 2ⁿ x^(2n+1) / (2n+1)!!: all terms have one sign, so nothing cancels. */
export function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let series = 0;
  for (let n = 1; series + term !== series; n++) {
    series += term;
    term *= (2 * x * x) / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * series;
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

function softmax(scores: readonly number[]): number[] {
  const highest = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - highest));
  const total = powers.reduce((a, b) => a + b);
  return powers.map((power) => power / total);
}

function reduce(x: Array64, axes: Array64, keepdims: 0 | 1) {
  const reduced = Array.from(axes.data, (axis) => (axis < 0 ? axis + x.shape.length : axis));
  const kept = x.shape.map((size, axis) => (reduced.includes(axis) ? 1 : size));
  const total = tabulate(kept, () => 0);
  const largest = tabulate(kept, () => Number.NEGATIVE_INFINITY);
  for (const index of indicesOf(x.shape)) {
    const target = index.map((position, axis) => (reduced.includes(axis) ? 0 : position));
    const place = offset(total, target);
    total.data[place]! += at(x, index);
    largest.data[place] = Math.max(largest.data[place]!, at(x, index));
  }
  const shape = keepdims ? kept : x.shape.filter((_, axis) => !reduced.includes(axis));
  return {
    total: { shape, data: total.data },
    largest: { shape, data: largest.data },
    count: x.data.length / total.data.length,
  };
}

/** A polynomial such as `2*batch*positions-1`. */
function sizeOf(size: Dimension, symbols: ReadonlyMap<Dimension, number>): number {
  if (typeof size === 'number') return size;
  const terms = size.split(/(?=[+-])/).map((term) => {
    const factors = term.replace(/^[+-]/, '').split('*');
    const product = factors.reduce((value, factor) => value * (symbols.get(factor) ?? Number(factor)), 1);
    return term.startsWith('-') ? -product : product;
  });
  return terms.reduce((a, b) => a + b);
}

function elementwise(f: (...values: number[]) => number): (inputs: readonly Array64[]) => Array64 {
  return (inputs) => {
    const shape = inputs.map((input) => input.shape).reduce(broadcastShapes);
    return tabulate(shape, (index) => f(...inputs.map((input) => stretched(input, index))));
  };
}

/** x times a factor that depends on it, and the factor. */
function timesFactor(x: Array64, factor: (value: number) => number): Array64[] {
  return [map(x, (value) => value * factor(value)), map(x, factor)];
}

function sum(count: number, term: (index: number) => number): number {
  let total = 0;
  for (let index = 0; index < count; index++) total += term(index);
  return total;
}

function average(values: readonly number[]): number {
  return sum(values.length, (index) => values[index]!) / values.length;
}

/** Halves go to the even neighbour, as in IEEE 754. */
function roundToEven(value: number): number {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}
