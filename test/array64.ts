/** Arrays in double precision for tests, read and made index by index. */

/** Row-major values; integers and booleans are numbers too. */
export interface Array64 {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

type Numbers = Float32Array | Float64Array;
export type Index = readonly number[];

export function broadcastShapes(a: Index, b: Index): number[] {
  const length = Math.max(a.length, b.length);
  return Array.from({ length }, (_, axis) => {
    const [left, right] = [a[axis - length + a.length] ?? 1, b[axis - length + b.length] ?? 1];
    return left === 1 ? right : left;
  });
}

/** The array whose element at every index is `f(index)`. */
export function tabulate(shape: Index, f: (index: Index) => number): Array64 {
  return { shape, data: Float64Array.from(indicesOf(shape), f) };
}

export function map({ shape, data }: Array64, f: (value: number) => number): Array64 {
  return { shape, data: data.map(f) };
}

/** Every index into a shape, row-major. */
export function indicesOf(shape: Index): Index[] {
  return shape.reduce<Index[]>(
    (outer, size) =>
      outer.flatMap((index) => Array.from({ length: size }, (_, position) => [...index, position])),
    [[]],
  );
}

export function offset({ shape }: Array64, index: Index): number {
  return shape.reduce((position, size, axis) => position * size + index[axis]!, 0);
}

export function at(x: Array64, index: Index): number {
  return x.data[offset(x, index)]!;
}

/** The element at an index of a shape to which x is broadcast. */
export function stretched(x: Array64, index: Index): number {
  const own = index.slice(index.length - x.shape.length);
  return at(
    x,
    own.map((position, axis) => (x.shape[axis] === 1 ? 0 : position)),
  );
}

export function along(x: Array64, index: Index, axis: number): number[] {
  return Array.from({ length: x.shape.at(axis)! }, (_, position) => at(x, index.with(axis, position)));
}

export function transposed(x: Array64): Array64 {
  return tabulate([...x.shape].reverse(), ([row, column]) => at(x, [column!, row!]));
}

/** The largest difference, relative to the largest expected magnitude (or to `floor`, where all are tiny); NaN for NaN. */
export function relativeError(found: Numbers, expected: Numbers, floor = 1e-3): number {
  if (found.length !== expected.length) return Number.POSITIVE_INFINITY;
  let [difference, largest] = [0, floor];
  for (const [index, value] of expected.entries()) {
    difference = Math.max(difference, Math.abs(found[index]! - value));
    largest = Math.max(largest, Math.abs(value));
  }
  return difference / largest;
}
