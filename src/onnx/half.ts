/** Half precision: the same graph with matrix products of 16 bits, and everything that must be exact in float32. */

import { dependencies } from './model.ts';
import type { OperatorName } from './operators.ts';
import * as op from './operators.ts';
import { constant, type Node, type Value } from './values.ts';

/**
 * How an operator takes part, as in PyTorch's autocast:
 * - `product`: takes and gives 16 bits
 * - `layout`: moves values without changing them, in the format that they have
 * - `follower`: gives 16 bits if all that it takes comes from products; beside a float32, it gives float32
 * - `exact`: takes and gives float32
 */
type Part = 'product' | 'layout' | 'follower' | 'exact';

/** Half as wide as float32. */
type Half = 'float16' | 'bfloat16';

/** Total over the operators: one without an entry does not compile. */
const parts: { readonly [K in OperatorName]: Part } = {
  Add: 'follower',
  Sub: 'follower',
  Mul: 'follower',
  Div: 'exact',
  Exp: 'exact',
  Log: 'exact',
  Sqrt: 'exact',
  Erf: 'exact',
  Sigmoid: 'follower',
  Relu: 'follower',
  Gelu: 'follower',
  FastGelu: 'follower',
  QuickGelu: 'follower',
  Greater: 'follower',
  Equal: 'exact',
  Where: 'follower',
  Cast: 'exact',
  MatMul: 'product',
  Gemm: 'product',
  Softmax: 'exact',
  LogSoftmax: 'exact',
  LayerNormalization: 'exact',
  MultiHeadAttention: 'product',
  RotaryEmbedding: 'follower',
  ReduceSum: 'exact',
  ReduceMean: 'exact',
  ReduceMax: 'exact',
  ArgMax: 'exact',
  QuantizeLinear: 'exact',
  MatMulIntegerToFloat: 'exact',
  Dimensions: 'exact',
  Reshape: 'layout',
  Expand: 'layout',
  Transpose: 'layout',
  Concat: 'layout',
  Slice: 'layout',
  Pad: 'layout',
  Gather: 'layout',
  GatherElements: 'exact',
  GatherND: 'exact',
  ScatterElements: 'exact',
  ScatterND: 'exact',
  TopK: 'exact',
  NonZero: 'exact',
};

/** ONNX Runtime's CUDA has no kernels of bfloat16 for these. */
const exactInBfloat16: ReadonlySet<OperatorName> = new Set(['Greater', 'Pad']);

/** The sizes that numbers with all digits can have. */
const ranges: { readonly [K in Half]: { readonly least: number; readonly largest: number } } = {
  float16: { least: 2 ** -14, largest: 65_504 },
  bfloat16: { least: 2 ** -126, largest: 2 ** 127 },
};

/**
 * The same outputs, float32 as before, with 16 bits inside. Sums that residual connections make stay float32. Weights that
 * are stored in this format go into products as they are. It works on gradients, too, because they are only more values.
 */
export function withHalfProducts(
  outputs: Readonly<Record<string, Value>>,
  half: Half = 'float16',
): Record<string, Value> {
  const rewriting = new Rewriting(half);
  const { nodes } = dependencies(Object.values(outputs));
  for (const node of nodes) rewriting.take(node);
  return Object.fromEntries(
    Object.entries(outputs).map(([name, value]) => [name, rewriting.asBefore(value)]),
  );
}

/** Values of the old graph, and what stands for them in the new one. */
class Rewriting {
  readonly #half: Half;
  /** In their old type. */
  readonly #asBefore = new Map<Value, Value>();
  readonly #halves = new Map<Value, Value>();
  /** Old values that the new graph computes in 16 bits. */
  readonly #computedAsHalf = new Set<Value>();
  /** Old values that are stored so. Nothing is lost if products take them as they are. */
  readonly #storedAsHalf = new Set<Value>();
  readonly #masks = new Map<Value, Value>();

  constructor(half: Half) {
    this.#half = half;
  }

  /** Nodes come in an order in which each stands after those that it needs. */
  take(node: Node): void {
    const { operator, inputs, attributes, outputs } = node;
    const [input] = inputs;
    if (operator === 'Cast' && input!.type === this.#half) {
      this.#halves.set(outputs[0]!, input!);
      this.#storedAsHalf.add(outputs[0]!);
      return;
    }
    const isHalf = this.#isHalf(node);
    const taken = inputs.map((value, index) => {
      if (!isHalf || value.type !== 'float32') return this.asBefore(value);
      return this.#asHalf(operator === 'MultiHeadAttention' && index === 3 ? this.#bounded(value) : value);
    });
    const isSame = taken.every((value, index) => value === inputs[index]);
    const results = isSame ? outputs : op.apply<OperatorName>(operator, taken, attributes);
    const isStored =
      this.#partOf(operator) === 'layout' && !inputs.some((value) => this.#computedAsHalf.has(value));
    for (const [index, output] of outputs.entries()) {
      const result = results[index]!;
      if (result.type === this.#half) {
        this.#halves.set(output, result);
        (isStored ? this.#storedAsHalf : this.#computedAsHalf).add(output);
      } else {
        this.#asBefore.set(output, result);
      }
    }
  }

  asBefore(value: Value): Value {
    const known = this.#asBefore.get(value);
    if (known) return known;
    const isHalf = this.#computedAsHalf.has(value) || this.#storedAsHalf.has(value);
    const made = isHalf ? op.cast(this.#halves.get(value)!, 'float32') : value;
    this.#asBefore.set(value, made);
    return made;
  }

  #isHalf({ operator, inputs }: Node): boolean {
    const floats = inputs.filter(({ type }) => type === 'float32');
    const computed = (value: Value) => this.#computedAsHalf.has(value);
    switch (this.#partOf(operator)) {
      case 'product':
        return floats.length > 0;
      case 'layout':
        return floats.length > 0 && floats.every((value) => computed(value) || this.#storedAsHalf.has(value));
      case 'follower':
        return floats.some(computed) && floats.every((value) => computed(value) || this.#fits(value));
      case 'exact':
        return false;
    }
  }

  #partOf(operator: OperatorName): Part {
    return this.#half === 'bfloat16' && exactInBfloat16.has(operator) ? 'exact' : parts[operator];
  }

  /** A layout of float32 values is made anew of rounded ones: what products take is rounded before it is moved. */
  #asHalf(value: Value): Value {
    const known = this.#halves.get(value);
    if (known) return known;
    const { origin } = value;
    let made: Value;
    if (origin.kind === 'result' && this.#partOf(origin.node.operator) === 'layout') {
      const { operator, inputs, attributes } = origin.node;
      const taken = inputs.map((input) =>
        input.type === 'float32' ? this.#asHalf(input) : this.asBefore(input),
      );
      made = op.apply<OperatorName>(operator, taken, attributes)[origin.index]!;
    } else {
      made = op.cast(this.asBefore(value), this.#half);
    }
    this.#halves.set(value, made);
    return made;
  }

  /** An attention mask whose lowest values are those of this format, not minus infinity, of which kernels can make NaN. */
  #bounded(mask: Value): Value {
    const [before, lowest] = [this.asBefore(mask), constant(-ranges[this.#half].largest)];
    const made = this.#masks.get(mask) ?? op.where(op.greater(before, lowest), before, lowest);
    this.#masks.set(mask, made);
    return made;
  }

  /** Whether it is a constant that this format holds with all the digits it has. */
  #fits({ origin }: Value): boolean {
    if (origin.kind !== 'constant') return false;
    const { least, largest } = ranges[this.#half];
    return Array.from(origin.data, Number).every((number) => {
      const size = Math.abs(number);
      return size === 0 || (size >= least && size <= largest);
    });
  }
}
