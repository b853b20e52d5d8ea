/** Graphs for devices that fail at an operator: the same values, computed by other operators. */

import { plainAttention } from './attention.ts';
import { dependencies } from './model.ts';
import { type Attributes, apply, type OperatorName } from './operators.ts';
import type { Value } from './values.ts';

/**
 * The same outputs without MultiHeadAttention. ONNX Runtime 1.30's WebGPU kernel is wrong by 10 % and more from 32
 * queries on where subgroups have fewer than 8 lanes, as software drivers' do, and had such faults on other GPUs before.
 */
export function withPlainAttention(outputs: Readonly<Record<string, Value>>): Record<string, Value> {
  const replaced = new Map<Value, Value>();
  const current = (value: Value): Value => replaced.get(value) ?? value;
  for (const node of dependencies(Object.values(outputs)).nodes) {
    const inputs = node.inputs.map(current);
    const results =
      node.operator === 'MultiHeadAttention'
        ? [plainAttention(inputs, node.attributes as Attributes['MultiHeadAttention'])]
        : inputs.every((input, index) => input === node.inputs[index])
          ? node.outputs
          : apply<OperatorName>(node.operator, inputs, node.attributes);
    for (const [index, output] of node.outputs.entries()) replaced.set(output, results[index]!);
  }
  return Object.fromEntries(Object.entries(outputs).map(([name, value]) => [name, current(value)]));
}
