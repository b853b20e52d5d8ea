/** Products without Gemm: ONNX Runtime's bfloat16 on ARM processors is for the operator MatMul alone. */

import { transposed } from './attention.ts';
import type { Attributes } from './operators.ts';
import * as op from './operators.ts';
import { rewritten } from './rewrite.ts';
import { constant, type Value } from './values.ts';

/** The same outputs, with MatMul instead of Gemm. Weights are transposed and scaled once, when the session is made. */
export function withoutGemm(outputs: Readonly<Record<string, Value>>): Record<string, Value> {
  return rewritten(outputs, ({ operator, attributes }, [a, b, c]) => {
    if (operator !== 'Gemm') return undefined;
    const { alpha, transA, transB } = attributes as Attributes['Gemm'];
    const weights = transB ? transposed(b!) : b!;
    const scaled = alpha === 1 ? weights : op.mul(weights, constant(alpha));
    const product = op.matmul(transA ? transposed(a!) : a!, scaled);
    return [c ? op.add(product, c) : product];
  });
}
