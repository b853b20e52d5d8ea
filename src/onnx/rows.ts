/** Of what is computed row by row, only the rows that are wanted: for gradients, of which few rows may be. */

import { type Shape, sameShape, sizeOf } from './dimensions.ts';
import { dependencies } from './model.ts';
import type { Attributes, OperatorName } from './operators.ts';
import * as op from './operators.ts';
import { reducedAxes } from './shapes.ts';
import { integers, type Node, sizeAt, type Value } from './values.ts';

/**
 * x [batch, positions, width] at the positions that the rows of `indices` [rows, 2] name: `gatherND`, but what gives each
 * position from the same position alone is computed at these only, where nothing but x needs it. [rows, width]
 */
export function wantedRows(x: Value, indices: Value): Value {
  if (x.shape.length !== 3 || sizeAt(indices, -1) !== 2) return op.gatherND(x, indices);
  const { nodes } = dependencies([x]);
  const users = new Map<Value, Node[]>();
  for (const node of nodes) {
    for (const input of node.inputs) users.set(input, [...(users.get(input) ?? []), node]);
  }
  const all = x.shape.slice(0, 2);
  /** What is computed at the wanted positions only. */
  const partial = new Set<Node>();
  for (const node of nodes.toReversed()) {
    const isForX = node.outputs.every(
      (output) => output === x || (users.get(output) ?? []).every((user) => partial.has(user)),
    );
    if (isForX && isByRow(node, all)) partial.add(node);
  }
  const found = new Map<Value, Value>();
  const rowsOf = (value: Value): Value => {
    const { origin, shape } = value;
    const made =
      found.get(value) ??
      (origin.kind === 'result' && partial.has(origin.node)
        ? atRows(origin.node, all, rowsOf)
        : op.gatherND(op.reshape(value, [...all, shape.at(-1)!]), indices));
    found.set(value, made);
    return made;
  };
  return rowsOf(x);
}

const elementwise: ReadonlySet<OperatorName> = new Set(['Add', 'Sub', 'Mul', 'Div']);

/** Whether a node gives each of `all` positions from the same position of those inputs that have positions. */
function isByRow({ operator, inputs, outputs, attributes }: Node, all: Shape): boolean {
  const [output] = outputs;
  if (!hasRows(output!, all)) return false;
  if (elementwise.has(operator))
    return inputs.every((value) => hasRows(value, all) || value.shape.length < 2);
  switch (operator) {
    case 'Gemm':
      return (
        hasRows(inputs[0]!, all) && (attributes as Attributes['Gemm']).transA === 0 && inputs.length === 2
      );
    case 'Reshape':
      return hasRows(inputs[0]!, all) && sizeAt(inputs[0]!, -1) === sizeAt(output!, -1);
    case 'ReduceSum':
    case 'ReduceMean':
      return (
        hasRows(inputs[0]!, all) &&
        output!.shape.length === 3 &&
        reducedAxes(inputs).every((axis) => axis === 2)
      );
    default:
      return false;
  }
}

/** [batch, positions, any] or [batch * positions, any] */
function hasRows({ shape }: Value, all: Shape): boolean {
  return sameShape(shape.slice(0, -1), all) || sameShape(shape.slice(0, -1), [sizeOf(all)]);
}

/** What a node gives of some positions: [rows, any] */
function atRows({ operator, inputs, attributes }: Node, all: Shape, rowsOf: (value: Value) => Value): Value {
  const [first] = inputs;
  if (operator === 'Reshape') return rowsOf(first!);
  const taken = inputs.map((value) => (hasRows(value, all) ? rowsOf(value) : value));
  if (operator === 'ReduceSum' || operator === 'ReduceMean') taken[1] = integers([1]);
  return op.apply<OperatorName>(operator, taken, attributes)[0]!;
}
