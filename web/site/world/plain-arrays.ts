/** What graphs in plain JavaScript do with arrays: products, norms, attention, and moving rows. */

import type { Float32Tensor } from '../../../src/core/index.ts';

/** Applies `f` to values of arrays that are stretched to one shape, as NumPy does. */
export function broadcast(
  inputs: readonly Float32Tensor[],
  f: (...values: number[]) => number,
  least: readonly number[] = [],
): Float32Tensor {
  const [first, second] = inputs;
  if (second && inputs.length === 2 && `${first!.shape}` === `${second.shape}`) {
    const data = new Float32Array(first!.data.length);
    for (let at = 0; at < data.length; at += 1) data[at] = f(first!.data[at]!, second.data[at]!);
    return { shape: first!.shape, data };
  }
  const shapes = [...inputs.map(({ shape }) => shape), least];
  const rank = Math.max(...shapes.map(({ length }) => length));
  const sizeAt = (of: readonly number[], axis: number) => of[axis - rank + of.length] ?? 1;
  const shape = Array.from({ length: rank }, (_, axis) =>
    shapes.reduce((size, other) => (sizeAt(other, axis) === 1 ? size : sizeAt(other, axis)), 1),
  );
  const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
  const values = inputs.map(() => 0);
  for (let at = 0; at < data.length; at += 1) {
    for (const [index, input] of inputs.entries()) {
      let [rest, place, stride] = [at, 0, 1];
      for (let axis = rank - 1; axis >= rank - input.shape.length; axis -= 1) {
        const size = sizeAt(input.shape, axis);
        const position = rest % shape[axis]!;
        rest = (rest - position) / shape[axis]!;
        if (size > 1) place += position * stride;
        stride *= size;
      }
      values[index] = input.data[place]!;
    }
    data[at] = f(...values);
  }
  return { shape, data };
}

/** a b' + c: [rows, inner] by [columns, inner]; c [columns] or absent. */
export function gemm(a: Float32Tensor, b: Float32Tensor, c: Float32Tensor | undefined): Float32Tensor {
  const [rows, inner] = a.shape as [number, number];
  const columns = b.shape[0]!;
  const data = new Float32Array(rows * columns);
  const [left, right] = [a.data, b.data];
  for (let column = 0; column < columns; column += 1) {
    const base = column * inner;
    const offset = c ? c.data[column]! : 0;
    let row = 0;
    // Four rows at a time, so that a weight is read once for all of them.
    for (; row + 3 < rows; row += 4) {
      const from0 = row * inner;
      const [from1, from2, from3] = [from0 + inner, from0 + 2 * inner, from0 + 3 * inner];
      let [s0, s1, s2, s3] = [offset, offset, offset, offset];
      for (let k = 0; k < inner; k += 1) {
        const weight = right[base + k]!;
        s0 += left[from0 + k]! * weight;
        s1 += left[from1 + k]! * weight;
        s2 += left[from2 + k]! * weight;
        s3 += left[from3 + k]! * weight;
      }
      const to = row * columns + column;
      data[to] = s0;
      data[to + columns] = s1;
      data[to + 2 * columns] = s2;
      data[to + 3 * columns] = s3;
    }
    for (; row < rows; row += 1)
      data[row * columns + column] = offset + dot(left, row * inner, right, base, inner);
  }
  return { shape: [rows, columns], data };
}

/** In four sums, so that each product does not wait for the one before. */
function dot(a: Float32Array, from: number, b: Float32Array, base: number, length: number): number {
  let [s0, s1, s2, s3] = [0, 0, 0, 0];
  let k = 0;
  for (; k + 3 < length; k += 4) {
    s0 += a[from + k]! * b[base + k]!;
    s1 += a[from + k + 1]! * b[base + k + 1]!;
    s2 += a[from + k + 2]! * b[base + k + 2]!;
    s3 += a[from + k + 3]! * b[base + k + 3]!;
  }
  for (; k < length; k += 1) s0 += a[from + k]! * b[base + k]!;
  return s0 + s1 + s2 + s3;
}

/** Layer normalization of the last axis. */
export function normalized(
  x: Float32Tensor,
  scale: Float32Tensor,
  bias: Float32Tensor,
  epsilon: number,
): Float32Tensor {
  const width = x.shape.at(-1)!;
  const data = new Float32Array(x.data.length);
  for (let begin = 0; begin < data.length; begin += width) {
    const row = x.data.subarray(begin, begin + width);
    let mean = 0;
    for (const value of row) mean += value / width;
    let variance = 0;
    for (const value of row) variance += (value - mean) ** 2 / width;
    const inverse = 1 / Math.sqrt(variance + epsilon);
    for (let at = 0; at < width; at += 1) {
      data[begin + at] = (row[at]! - mean) * inverse * scale.data[at]! + bias.data[at]!;
    }
  }
  return { shape: x.shape, data };
}

/** softmax(scale Q K' + bias) V for every head: bias [batch or 1, 1, queries, keys]. */
export function attention(
  [query, key, value, bias]: readonly [Float32Tensor, Float32Tensor, Float32Tensor, Float32Tensor?],
  heads: number,
  scale: number,
): Float32Tensor {
  const [batch, queries, width] = query.shape as [number, number, number];
  const keys = key.shape[1]!;
  const size = width / heads;
  const data = new Float32Array(query.data.length);
  const weights = new Float32Array(keys);
  for (let at = 0; at < batch * heads * queries; at += 1) {
    const row = at % queries;
    const head = Math.floor(at / queries) % heads;
    const item = Math.floor(at / queries / heads);
    const from = (item * queries + row) * width + head * size;
    const biasAt = ((bias?.shape[0] === 1 ? 0 : item) * queries + row) * keys;
    let highest = Number.NEGATIVE_INFINITY;
    for (let column = 0; column < keys; column += 1) {
      const other = (item * keys + column) * width + head * size;
      let score = 0;
      for (let k = 0; k < size; k += 1) score += query.data[from + k]! * key.data[other + k]!;
      weights[column] = score * scale + (bias ? bias.data[biasAt + column]! : 0);
      highest = Math.max(highest, weights[column]!);
    }
    let total = 0;
    for (let column = 0; column < keys; column += 1) {
      weights[column] = Math.exp(weights[column]! - highest);
      total += weights[column]!;
    }
    for (let column = 0; column < keys; column += 1) {
      const other = (item * keys + column) * width + head * size;
      const part = weights[column]! / total;
      for (let k = 0; k < size; k += 1) data[from + k]! += part * value.data[other + k]!;
    }
  }
  return { shape: query.shape, data };
}

export function transposed({ shape, data }: Float32Tensor, perm: readonly number[]): Float32Tensor {
  const result = new Float32Array(data.length);
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
  const turned = perm.map((axis) => shape[axis]!);
  for (let at = 0; at < data.length; at += 1) {
    let [rest, from] = [at, 0];
    for (let axis = turned.length - 1; axis >= 0; axis -= 1) {
      const position = rest % turned[axis]!;
      from += position * strides[perm[axis]!]!;
      rest = (rest - position) / turned[axis]!;
    }
    result[at] = data[from]!;
  }
  return { shape: turned, data: result };
}

/** The rows of x at positions that groups of `depth` indices name. */
export function gatherRows(
  x: Float32Tensor,
  indices: Float32Tensor,
  depth: number,
  outer: readonly number[],
): Float32Tensor {
  const kept = x.shape.slice(depth);
  const inner = kept.reduce((a, b) => a * b, 1);
  const rows = positions(x.shape, indices, depth);
  const data = new Float32Array(rows.length * inner);
  for (const [row, position] of rows.entries()) {
    data.set(x.data.subarray(position * inner, (position + 1) * inner), row * inner);
  }
  return { shape: [...outer, ...kept], data };
}

/** Positions as numbers: each group of `depth` indices goes through the first axes of a shape. */
export function positions(shape: readonly number[], { data }: Float32Tensor, depth: number): number[] {
  return Array.from({ length: data.length / depth }, (_, row) => {
    let position = 0;
    for (let axis = 0; axis < depth; axis += 1)
      position = position * shape[axis]! + data[row * depth + axis]!;
    return position;
  });
}
