/** Reads the values of a stored tensor into memory, as float32. */

import { LincirError, quoted } from './errors.ts';
import { valueOfHalf } from './half.ts';
import { type ElementType, elementCount, type Float32Tensor, type StoredTensor } from './tensors.ts';

/** The types whose values `toFloat32` converts. */
export type FloatType = Extract<ElementType, `float${string}` | 'bfloat16'>;

/**
 * Reads a float tensor of any precision and converts it to float32 (float64 is rounded). Holds its bytes and its
 * values in memory at once, so it is for small tensors, such as phi's. Throws 'bad-file' for other element types.
 */
export async function readTensor(stored: StoredTensor): Promise<Float32Tensor> {
  const { type } = stored;
  if (!isFloatType(type)) {
    throw new LincirError('bad-file', {
      subject: `${stored.source.name}: tensor ${quoted(stored.name)}`,
      expected: `one of ${Object.keys(conversions).join(', ')}`,
      found: type,
    });
  }
  const bytes = await stored.source.read(stored.offset, stored.byteLength);
  const data = toFloat32(type, bytes.buffer);
  return { shape: stored.shape, data: stored.strides ? gathered(data, stored.shape, stored.strides) : data };
}

/** The elements of a view in row-major order. */
function gathered(data: Float32Array, shape: readonly number[], strides: readonly number[]): Float32Array {
  const values = new Float32Array(elementCount(shape));
  const position = shape.map(() => 0);
  let from = 0;
  for (let to = 0; to < values.length; to += 1) {
    values[to] = data[from]!;
    for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
      from += strides[axis]!;
      position[axis]! += 1;
      if (position[axis]! < shape[axis]!) break;
      from -= position[axis]! * strides[axis]!;
      position[axis] = 0;
    }
  }
  return values;
}

/**
 * Reads a tensor that we wrote: float32 of exactly this shape. Throws 'bad-file' if it is another, or missing.
 * @param file as the user knows it
 */
export async function readOwnTensor(
  file: string,
  tensors: ReadonlyMap<string, StoredTensor>,
  name: string,
  shape: readonly number[],
): Promise<Float32Tensor> {
  const stored = tensors.get(name);
  const [expected, found] = [{ type: 'float32', shape }, stored].map(
    (tensor) => tensor && `${tensor.type} [${tensor.shape.join(', ')}]`,
  );
  if (stored && found === expected) return await readTensor(stored);
  throw new LincirError('bad-file', {
    subject: `${file}: tensor ${name}`,
    expected: `${expected}`,
    found: found === undefined ? 'no such tensor' : quoted(found),
  });
}

export function isFloatType(type: ElementType): type is FloatType {
  return Object.hasOwn(conversions, type);
}

/** Little-endian values of a float type as float32; those of float64 are rounded. May share the memory of `bytes`. */
export function toFloat32(type: FloatType, bytes: ArrayBuffer): Float32Array {
  return conversions[type](bytes);
}

const conversions: Readonly<Record<FloatType, (bytes: ArrayBuffer) => Float32Array>> = {
  float64: (bytes) => Float32Array.from(new Float64Array(bytes)),
  float32: (bytes) => new Float32Array(bytes),
  // Node 22 has no Float16Array yet.
  float16: (bytes) => {
    const halves = new Uint16Array(bytes);
    const values = new Float32Array(halves.length);
    const known = valuesOfHalves();
    // Plain loops: `from` takes many times as long, which large models show.
    for (let at = 0; at < halves.length; at += 1) values[at] = known[halves[at]!]!;
    return values;
  },
  // A bfloat16 is the upper half of a float32.
  bfloat16: (bytes) => {
    const upper = new Uint16Array(bytes);
    const bits = new Uint32Array(upper.length);
    for (let at = 0; at < upper.length; at += 1) bits[at] = upper[at]! << 16;
    return new Float32Array(bits.buffer);
  },
};

let table: Float32Array | undefined;

/** The numbers that all halves stand for, by their bits. */
function valuesOfHalves(): Float32Array {
  table ??= Float32Array.from({ length: 2 ** 16 }, (_, bits) => valueOfHalf(bits));
  return table;
}
