/** Matrices with a byte for each number: whole numbers from -127 to 127, and a step for each row. */

import {
  elementCount,
  type Float32Tensor,
  readSafetensorsHeader,
  readTensor,
  type StoredTensor,
  safetensorsHeader,
} from '../../../src/core/index.ts';
import { memoryFile } from './download.ts';

interface RoundedRows {
  /** One for each row. */
  readonly steps: Float32Array;
  readonly values: Int8Array;
}

export function roundRows(data: Float32Array, rows: number): RoundedRows {
  const size = data.length / rows;
  const steps = new Float32Array(rows);
  const values = new Int8Array(data.length);
  for (let row = 0; row < rows; row += 1) {
    const given = data.subarray(row * size, (row + 1) * size);
    const step = given.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 127;
    steps[row] = step;
    for (let at = 0; at < size; at += 1)
      values[row * size + at] = step > 0 ? Math.round(given[at]! / step) : 0;
  }
  return { steps, values };
}

export function widenRows({ steps, values }: RoundedRows): Float32Array<ArrayBuffer> {
  const size = values.length / steps.length;
  const data = new Float32Array(values.length);
  for (const [row, step] of steps.entries()) {
    for (let at = row * size; at < (row + 1) * size; at += 1) data[at] = values[at]! * step;
  }
  return data;
}

type Named = readonly (readonly [name: string, tensor: Float32Tensor])[];

/** Ends the names of steps. */
const ofSteps = ' steps';

/** A safetensors file whose matrices are rounded. Vectors stay as they are. */
export function packTensors(
  named: Named,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const parts = named.flatMap(([name, { shape, data }]): FilePart[] => {
    if (shape.length === 1) return [{ name, type: 'float32', shape, data }];
    const { steps, values } = roundRows(data, shape[0]!);
    return [
      { name, type: 'int8', shape, data: values },
      { name: name + ofSteps, type: 'float32', shape: [steps.length], data: steps },
    ];
  });
  return fileOf(parts, metadata);
}

/** The same file with all matrices in float32. */
export async function unpackTensors(bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const { tensors, metadata } = await readSafetensorsHeader(memoryFile('rounded weights', bytes));
  const parts: FilePart[] = [];
  for (const { name, type, shape, source, offset, byteLength } of tensors.values()) {
    if (name.endsWith(ofSteps)) continue;
    const steps = tensors.get(name + ofSteps);
    const data =
      type === 'int8' && steps
        ? widenRows({
            steps: (await readTensor(steps)).data,
            values: new Int8Array((await source.read(offset, byteLength)).buffer),
          })
        : (await readTensor(tensors.get(name)!)).data;
    parts.push({ name, type: 'float32', shape, data });
  }
  return fileOf(parts, metadata);
}

interface FilePart extends Pick<StoredTensor, 'name' | 'type' | 'shape'> {
  readonly data: Float32Array | Int8Array;
}

/** A safetensors file. */
export function fileOf(
  parts: readonly FilePart[],
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const header = safetensorsHeader('weights', parts, metadata);
  const sizes = parts.map(({ type, shape }) => elementCount(shape) * (type === 'int8' ? 1 : 4));
  const bytes = new Uint8Array(header.length + sizes.reduce((a, b) => a + b, 0));
  bytes.set(header);
  let at = header.length;
  for (const { data } of parts) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return bytes;
}
