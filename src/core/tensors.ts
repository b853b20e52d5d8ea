/** Tensors as plain data: element types, values in memory, and values that are still in a file. */

import type { RandomAccess } from './source.ts';

/** Bytes of one element of each type. Names are those of ONNX. */
export const bytesPerElement = {
  float64: 8,
  float32: 4,
  float16: 2,
  bfloat16: 2,
  uint64: 8,
  int64: 8,
  uint32: 4,
  int32: 4,
  uint16: 2,
  int16: 2,
  int8: 1,
  uint8: 1,
  bool: 1,
} as const;

export type ElementType = keyof typeof bytesPerElement;

/** A float32 matrix or array in memory, row-major. `data.length` is the product of `shape`. */
export interface Float32Tensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** A tensor in a file or another source of bytes, little-endian. It is row-major and contiguous, unless it has strides. */
export interface StoredTensor {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
  /** Of a view that is not contiguous: for each axis, the distance between neighbours in elements; 0 repeats one element. */
  readonly strides?: readonly number[];
  readonly source: RandomAccess;
  /** Where its bytes begin in the source. */
  readonly offset: number;
  /** From its first element to its last. */
  readonly byteLength: number;
}

/** How many elements a shape holds; 1 for a scalar's empty shape. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Whether the elements follow each other. The stride of an axis of size 1 does not matter. */
export function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  let contiguous = 1;
  for (const [axis, size] of [...shape.entries()].toReversed()) {
    if (size !== 1 && strides[axis] !== contiguous) return false;
    contiguous *= size;
  }
  return true;
}

/** Scales every row of `size` values to length 1, in place. A row of zeros stays. */
export function normalizeRows(values: Float32Array, size: number): void {
  for (let start = 0; start < values.length; start += size) {
    const row = values.subarray(start, start + size);
    const norm = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
    if (norm > 0) row.set(row.map((value) => value / norm));
  }
}
