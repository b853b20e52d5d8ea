/** Runs small graphs in plain JavaScript: a few texts at a time need no engine, whose download would take seconds. */

import { type Float32Tensor, LincirError, readTensor } from '../../../src/core/index.ts';
import type { RunTensor, Value } from '../../../src/onnx/index.ts';
import { attention, broadcast, gatherRows, gemm, normalized, positions, transposed } from './plain-arrays.ts';

/** A graph whose weights are in memory, as float32. Whole numbers are float32, too: ids are far below 2^24. */
export interface PlainGraph {
  run(feeds: Readonly<Record<string, RunTensor>>): Float32Tensor;
}

type Node = Extract<Value['origin'], { kind: 'result' }>['node'];
type Compute = (
  inputs: readonly Float32Tensor[],
  attributes: Readonly<Record<string, unknown>>,
  sizes: (shape: Value['shape']) => number[],
) => Float32Tensor;

/** Prepares the computation of `output`: reads its weights, once. Throws 'bad-argument' for an operator that is not here. */
export async function plainGraph(output: Value): Promise<PlainGraph> {
  const order = inOrder(output);
  const known = new Map<Value, Float32Tensor>();
  for (const value of order) {
    const { origin, shape } = value;
    if (origin.kind === 'constant') {
      known.set(value, { shape: shape as number[], data: Float32Array.from(origin.data as never, Number) });
    } else if (origin.kind === 'weight') {
      known.set(value, { shape: shape as number[], data: (await readTensor(origin.stored)).data });
    } else if (origin.kind === 'result' && !(origin.node.operator in operators)) {
      throw new LincirError('bad-argument', {
        subject: 'a graph in plain JavaScript',
        expected: `operators out of ${Object.keys(operators).join(', ')}`,
        found: origin.node.operator,
      });
    }
  }
  return {
    run(feeds) {
      const values = new Map(known);
      const symbols = new Map<string, number>();
      const sizes = (shape: Value['shape']) => shape.map((size) => sizeOf(size, symbols));
      for (const value of order) {
        const { origin, shape } = value;
        if (origin.kind === 'input') {
          const { shape: given, data } = feeds[origin.name]!;
          for (const [axis, size] of shape.entries()) {
            if (typeof size === 'string') symbols.set(size, given[axis]!);
          }
          values.set(value, {
            shape: given,
            data: data instanceof Float32Array ? data : Float32Array.from(data, Number),
          });
        } else if (origin.kind === 'result') {
          const { operator, inputs, attributes } = origin.node;
          const found = inputs.map((input) => values.get(input)!);
          values.set(value, operators[operator]!(found, attributes, sizes));
        }
      }
      return values.get(output)!;
    },
  };
}

const operators: Readonly<Partial<Record<Node['operator'], Compute>>> = {
  Add: ([a, b]) => broadcast([a!, b!], (x, y) => x! + y!),
  Greater: ([a, b]) => broadcast([a!, b!], (x, y) => Number(x! > y!)),
  Where: ([condition, a, b]) => broadcast([condition!, a!, b!], (which, x, y) => (which === 0 ? y! : x!)),
  Expand: ([x, shape]) => broadcast([x!], (value) => value!, [...shape!.data]),
  Cast: ([x]) => x!,
  Relu: ([x]) => each(x!, (value) => Math.max(0, value)),
  Gelu: ([x]) => each(x!, (value) => (value * (1 + erf(value * Math.SQRT1_2))) / 2),
  QuickGelu: ([x], { alpha }) => each(x!, (value) => value / (1 + Math.exp(-(alpha as number) * value))),
  Gemm: ([a, b, c]) => gemm(a!, b!, c),
  LayerNormalization: ([x, scale, bias], { epsilon }) => normalized(x!, scale!, bias!, epsilon as number),
  MultiHeadAttention: ([query, key, value, bias], { num_heads, scale }) =>
    attention([query!, key!, value!, bias], num_heads as number, scale as number),
  Dimensions: (_, { sizes }, sizesOf) => {
    const data = Float32Array.from(sizesOf(sizes as Value['shape']));
    return { shape: [data.length], data };
  },
  Reshape: ([x, shape]) => ({ shape: [...shape!.data], data: x!.data }),
  Transpose: ([x], { perm }) => transposed(x!, perm as readonly number[]),
  Concat: (values, attributes) => {
    const axis = attributes.axis as number;
    const [first] = values;
    const outer = product(first!.shape.slice(0, axis));
    const sizes = values.map(({ data }) => data.length / outer);
    const data = new Float32Array(values.reduce((length, value) => length + value.data.length, 0));
    let to = 0;
    for (let row = 0; row < outer; row += 1) {
      for (const [at, value] of values.entries()) {
        data.set(value.data.subarray(row * sizes[at]!, (row + 1) * sizes[at]!), to);
        to += sizes[at]!;
      }
    }
    const total = values.reduce((size, { shape }) => size + shape[axis]!, 0);
    return { shape: first!.shape.with(axis, total), data };
  },
  Slice: ([x, start, end, axes]) => {
    const axis = axes!.data[0]!;
    const [from, to] = [start!.data[0]!, end!.data[0]!];
    const size = x!.shape[axis]!;
    const inner = product(x!.shape.slice(axis + 1));
    const outer = product(x!.shape.slice(0, axis));
    const length = (to - from) * inner;
    const data = new Float32Array(outer * length);
    for (let row = 0; row < outer; row += 1) {
      const begin = (row * size + from) * inner;
      data.set(x!.data.subarray(begin, begin + length), row * length);
    }
    return { shape: x!.shape.with(axis, to - from), data };
  },
  Gather: ([x, indices]) => gatherRows(x!, indices!, 1, indices!.shape),
  GatherND: ([x, indices]) => gatherRows(x!, indices!, indices!.shape.at(-1)!, indices!.shape.slice(0, -1)),
  ScatterND: ([x, indices, updates]) => {
    const depth = indices!.shape.at(-1)!;
    const inner = product(x!.shape.slice(depth));
    const data = x!.data.slice();
    for (const [row, position] of positions(x!.shape, indices!, depth).entries()) {
      data.set(updates!.data.subarray(row * inner, (row + 1) * inner), position * inner);
    }
    return { shape: x!.shape, data };
  },
};

/** All that `output` needs, each after what it needs itself. */
function inOrder(output: Value): Value[] {
  const found = new Set<Value>();
  const visit = (value: Value): void => {
    if (found.has(value)) return;
    if (value.origin.kind === 'result') value.origin.node.inputs.forEach(visit);
    found.add(value);
  };
  visit(output);
  // First all inputs, for their shapes say what the symbols stand for.
  return [...found].sort((a, b) => Number(b.origin.kind === 'input') - Number(a.origin.kind === 'input'));
}

/** A size such as `2*batch*positions-1`. */
function sizeOf(size: number | string, symbols: ReadonlyMap<string, number>): number {
  if (typeof size === 'number') return size;
  const terms = size.split(/(?=[+-])/).map((term) => {
    const factors = term.replace(/^[+-]/, '').split('*');
    const value = factors.reduce((found, factor) => found * (symbols.get(factor) ?? Number(factor)), 1);
    return term.startsWith('-') ? -value : value;
  });
  return terms.reduce((a, b) => a + b);
}

function each({ shape, data }: Float32Tensor, f: (value: number) => number): Float32Tensor {
  return { shape, data: data.map(f) };
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((a, b) => a * b, 1);
}

/** Abramowitz and Stegun, 7.1.26: within 1.5e-7. */
function erf(x: number): number {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const sum =
    t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return Math.sign(x) * (1 - sum * Math.exp(-x * x));
}
