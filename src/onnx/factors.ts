/** Moves scalar factors into products, which take them for nothing. Elsewhere, each is a pass over all values. */

import { dependencies } from './model.ts';
import type { Attributes } from './operators.ts';
import * as op from './operators.ts';
import { rewritten } from './rewrite.ts';
import { constant, type Value } from './values.ts';

/** Two factors that multiply to 1 but for this do nothing. */
const rounding = 2 ** -23;

/** x times a number. */
interface Scaled {
  readonly x: Value;
  readonly factor: number;
}

/**
 * The same outputs, to rounding: what Gemm takes or gives is scaled by Gemm, where nothing else needs it unscaled, and
 * factors of factors are one.
 */
export function withFactorsInProducts(outputs: Readonly<Record<string, Value>>): Record<string, Value> {
  const uses = new Map<Value, number>();
  const count = (value: Value) => uses.set(value, (uses.get(value) ?? 0) + 1);
  for (const { inputs } of dependencies(Object.values(outputs)).nodes) inputs.forEach(count);
  Object.values(outputs).forEach(count);
  const isUsedOnce = (value: Value): boolean => {
    const before = reshaped(value);
    return uses.get(value) === 1 && (before === undefined || isUsedOnce(before));
  };
  return rewritten(outputs, ({ operator, inputs, attributes }, taken) => {
    if (operator === 'Gemm') return ofScaled(taken, attributes as Attributes['Gemm']);
    const scaled = operator === 'Mul' ? scaledOf(taken) : undefined;
    if (!scaled) return undefined;
    const before = inputs[taken.indexOf(scaled.x)]!;
    return [(isUsedOnce(before) && scaledProduct(scaled)) || asOneFactor(scaled)];
  });
}

/** (c A) B + D as c (A B) + D */
function ofScaled([a, b, c]: readonly Value[], { alpha, ...transposed }: Attributes['Gemm']) {
  const scaled = scaledBy(unshaped(a!));
  if (!scaled) return undefined;
  return gemm([op.reshape(scaled.x, a!.shape), b!, c], { ...transposed, alpha: alpha * scaled.factor });
}

/** c (A B + D) as c (A B) + c D. Only a vector D is scaled for nothing: when the session is made. */
function scaledProduct({ x, factor }: Scaled): Value | undefined {
  const { origin } = unshaped(x);
  if (origin.kind !== 'result' || origin.node.operator !== 'Gemm') return undefined;
  const [a, b, c] = origin.node.inputs;
  if (c && c.shape.length > 1) return undefined;
  const { alpha, ...transposed } = origin.node.attributes as Attributes['Gemm'];
  const [product] = gemm([a!, b!, c && op.mul(c, constant(factor))], {
    ...transposed,
    alpha: alpha * factor,
  });
  return op.reshape(product!, x.shape);
}

function asOneFactor({ x, factor }: Scaled): Value {
  const before = scaledBy(x);
  const whole = (before?.factor ?? 1) * factor;
  const of = before?.x ?? x;
  return Math.abs(whole - 1) < rounding ? of : op.mul(of, constant(whole));
}

function gemm([a, b, c]: readonly [Value, Value, Value?], attributes: Attributes['Gemm']): readonly Value[] {
  return op.apply('Gemm', c ? [a, b, c] : [a, b], attributes);
}

/** What the value is a multiple of, if it was multiplied by a number. */
function scaledBy({ origin }: Value): Scaled | undefined {
  return origin.kind === 'result' && origin.node.operator === 'Mul'
    ? scaledOf(origin.node.inputs)
    : undefined;
}

function scaledOf([a, b]: readonly Value[]): Scaled | undefined {
  for (const [x, factor] of [
    [a!, b!],
    [b!, a!],
  ] as const) {
    const { origin, shape, type } = factor;
    if (origin.kind === 'constant' && shape.length === 0 && type === 'float32')
      return { x, factor: Number(origin.data[0]) };
  }
  return undefined;
}

function unshaped(value: Value): Value {
  const before = reshaped(value);
  return before ? unshaped(before) : value;
}

/** What the value is another shape of. */
function reshaped({ origin }: Value): Value | undefined {
  return origin.kind === 'result' && origin.node.operator === 'Reshape' ? origin.node.inputs[0] : undefined;
}
