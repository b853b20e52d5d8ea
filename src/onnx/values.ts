/** Symbolic tensors: a graph is nothing but values that remember the operator and the values they came from. */

import {
  bytesPerElement,
  type ElementType,
  elementCount,
  LincirError,
  type StoredTensor,
} from '../core/index.ts';
import type { Dimension, Shape } from './dimensions.ts';
import type { Attributes, OperatorName } from './operators.ts';

/** A tensor that will exist when the graph runs. */
export interface Value {
  readonly type: ElementType;
  readonly shape: Shape;
  readonly origin: Origin;
}

/** Where a value comes from. */
type Origin =
  /** Given by the caller at every run. */
  | { readonly kind: 'input'; readonly name: string }
  /** Small data in the graph itself. */
  | { readonly kind: 'constant'; readonly data: ConstantData }
  /** A tensor in a weight file, which the engine reads there. */
  | { readonly kind: 'weight'; readonly stored: StoredTensor }
  /** The output number `index` of a node. */
  | { readonly kind: 'result'; readonly node: Node; readonly index: number };

/** One application of an operator. */
export interface Node<K extends OperatorName = OperatorName> {
  readonly operator: K;
  readonly inputs: readonly Value[];
  readonly attributes: Attributes[K];
  readonly outputs: readonly Value[];
}

export type ConstantData = Float32Array | BigInt64Array | Int32Array | Uint8Array | Int8Array;

/** An input of the graph; string sizes such as 'batch' are free, and equal strings are equal sizes. */
export function input(name: string, type: ElementType, shape: Shape): Value {
  return { type, shape, origin: { kind: 'input', name } };
}

/** A float32 constant: a scalar when no shape is given. */
export function constant(data: number | Float32Array, shape: readonly number[] = []): Value {
  const values = typeof data === 'number' ? Float32Array.of(data) : data;
  expectLength(values, shape);
  return { type: 'float32', shape, origin: { kind: 'constant', data: values } };
}

/** An int64 constant. */
export function integers(data: readonly number[], shape: readonly number[] = [data.length]): Value {
  expectLength(data, shape);
  return { type: 'int64', shape, origin: { kind: 'constant', data: BigInt64Array.from(data, BigInt) } };
}

/** A constant of whole numbers of 8 bits, with or without a sign: a scalar when no shape is given. */
export function eightBits(data: Int8Array | Uint8Array, shape: readonly number[] = []): Value {
  expectLength(data, shape);
  const type = data instanceof Int8Array ? 'int8' : 'uint8';
  return { type, shape, origin: { kind: 'constant', data } };
}

/**
 * A contiguous weight, which the engine reads from its file. `shape` may be another shape with as many elements. Its
 * element type is the file's; `asFloat32` in functions.ts widens smaller ones.
 */
export function weight(stored: StoredTensor, shape: readonly number[] = stored.shape): Value {
  if (
    stored.strides !== undefined ||
    elementCount(shape) * bytesPerElement[stored.type] !== stored.byteLength
  ) {
    throw new LincirError('bad-file', {
      subject: `${stored.source.name}: tensor ${stored.name}`,
      expected: `shape [${shape.join(', ')}]`,
      found: `[${stored.shape.join(', ')}] in ${stored.byteLength} bytes`,
    });
  }
  return { type: stored.type, shape, origin: { kind: 'weight', stored } };
}

/** The size of one axis; negative axes count from the end. */
export function sizeAt(value: Value, axis: number): Dimension {
  const size = value.shape.at(axis);
  if (size === undefined) {
    throw new LincirError('bad-argument', {
      subject: `axis ${axis}`,
      expected: `a tensor with such an axis`,
      found: `shape [${value.shape.join(', ')}]`,
    });
  }
  return size;
}

function expectLength(data: ArrayLike<number>, shape: readonly number[]): void {
  if (data.length === elementCount(shape)) return;
  throw new LincirError('bad-argument', {
    subject: `a constant of shape [${shape.join(', ')}]`,
    expected: `${elementCount(shape)} values`,
    found: `${data.length}`,
  });
}
