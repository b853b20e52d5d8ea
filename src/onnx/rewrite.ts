/** Rewrites a graph: puts other values in place of what some of its nodes give. */

import { dependencies } from './model.ts';
import type { OperatorName } from './operators.ts';
import * as op from './operators.ts';
import type { Node, Value } from './values.ts';

/** @param replacement of a node's outputs, for its inputs in the new graph; undefined: the node stays */
export function rewritten(
  outputs: Readonly<Record<string, Value>>,
  replacement: (node: Node, inputs: readonly Value[]) => readonly Value[] | undefined,
): Record<string, Value> {
  const replaced = new Map<Value, Value>();
  const current = (value: Value): Value => replaced.get(value) ?? value;
  for (const node of dependencies(Object.values(outputs)).nodes) {
    const inputs = node.inputs.map(current);
    const found = replacement(node, inputs);
    if (!found && inputs.every((input, index) => input === node.inputs[index])) continue;
    const results = found ?? op.apply<OperatorName>(node.operator, inputs, node.attributes);
    for (const [index, output] of node.outputs.entries()) {
      const result = results[index];
      if (result) replaced.set(output, result);
    }
  }
  return Object.fromEntries(Object.entries(outputs).map(([name, value]) => [name, current(value)]));
}
