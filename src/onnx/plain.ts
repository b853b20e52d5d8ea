/** Operators of several steps, taken apart: for gradients, which need what these compute on the way, and for devices. */

import { plainAttention } from './attention.ts';
import type { Dimension } from './dimensions.ts';
import { dependencies } from './model.ts';
import type { Attributes, OperatorName } from './operators.ts';
import * as op from './operators.ts';
import { rewritten } from './rewrite.ts';
import { constant, sizeAt, type Value } from './values.ts';

/** Returns all outputs of an operator. ONNX Runtime's own kernel returns only the first. */
type Plain<K extends OperatorName> = (
  inputs: readonly Value[],
  attributes: Attributes[K],
) => readonly Value[];

const plain: { readonly [K in OperatorName]?: Plain<K> } = {
  Gelu: ([x]) => {
    const cumulative = scaled(op.add(op.erf(scaled(x!, Math.SQRT1_2)), like(x!, 1)), 0.5);
    return [op.mul(x!, cumulative), cumulative];
  },
  FastGelu: ([x]) => {
    const { slope, cubic } = op.tanhGelu;
    const inner = op.add(like(x!, slope), scaled(op.mul(x!, x!), slope * cubic));
    const sigmoid = op.sigmoid(op.mul(x!, inner));
    return [op.mul(x!, sigmoid), sigmoid];
  },
  // As the kernel rounds it: in half precision, another form would be another function.
  QuickGelu: ([x], { alpha }) => {
    const sigmoid = op.sigmoid(scaled(x!, alpha));
    return [op.mul(x!, sigmoid), sigmoid];
  },
  MultiHeadAttention: plainAttention,
  RotaryEmbedding: ([x, , cosines, sines]) => {
    const [batch, positions, width] = x!.shape as [Dimension, Dimension, Dimension];
    const half = Number(sizeAt(cosines!, 1));
    const pairs = op.reshape(x!, [batch, positions, Number(width) / (2 * half), half, 2]);
    const [a, b] = [op.slice(pairs, 4, 0, 1), op.slice(pairs, 4, 1, 2)];
    const ofAngle = (values: Value) => op.reshape(values, [positions, 1, half, 1]);
    const [cosine, sine] = [ofAngle(cosines!), ofAngle(sines!)];
    const first = op.sub(op.mul(a, cosine), op.mul(b, sine));
    const second = op.add(op.mul(a, sine), op.mul(b, cosine));
    return [op.reshape(op.concat([first, second], 4), x!.shape)];
  },
};

/** The same with factors at both ends, which the products before and after it take (factors.ts). */
const quickGeluBetweenFactors: Plain<'QuickGelu'> = ([x], { alpha }) => {
  const z = scaled(x!, alpha);
  const sigmoid = op.sigmoid(z);
  return [scaled(op.mul(z, sigmoid), 1 / alpha), sigmoid];
};

/**
 * The same outputs, with plain operators where something uses an operator's second output, as its gradient does.
 * @param apart what to take apart in any case
 * @param movesFactors whether products will take factors
 */
export function withPlainOperators(
  outputs: Readonly<Record<string, Value>>,
  apart: readonly OperatorName[],
  movesFactors = false,
): Record<string, Value> {
  const forms = movesFactors ? { ...plain, QuickGelu: quickGeluBetweenFactors } : plain;
  const { values } = dependencies(Object.values(outputs));
  return rewritten(outputs, (node, inputs) => {
    const isWanted = values.has(node.outputs[1]!) || apart.includes(node.operator);
    const form = isWanted ? (forms[node.operator] as Plain<OperatorName> | undefined) : undefined;
    return form?.(inputs, node.attributes);
  });
}

const like = ({ type }: Value, factor: number): Value => op.cast(constant(factor), type);
const scaled = (x: Value, factor: number): Value => op.mul(x, like(x, factor));
