/** Writes files of tensors, whole or not at all: safetensors, and NumPy's .npy. */

import {
  bytesPerElement,
  type ElementType,
  elementCount,
  LincirError,
  npyHeader,
  quoted,
  safetensorsHeader,
} from '../core/index.ts';
import { writeFileAtomically } from './write-file.ts';

/** A tensor to write: its bytes as a typed array, or as chunks that are made when they are needed. */
export interface TensorToWrite {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly data: NodeJS.ArrayBufferView | AsyncIterable<Uint8Array>;
}

/**
 * Writes a safetensors file, atomically. Wide elements come first, so every tensor is aligned to its element size.
 * Throws 'bad-argument' when a tensor's bytes do not fit its type and shape, or when a name is used twice, and 'io'.
 */
export async function writeSafetensors(
  path: string,
  tensors: readonly TensorToWrite[],
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const ordered = tensors.toSorted((a, b) => bytesPerElement[b.type] - bytesPerElement[a.type]);
  const header = safetensorsHeader(path, ordered, metadata);
  await writeFileAtomically(path, async (file) => {
    await file.writeFile(header);
    for (const { name, type, shape, data } of ordered) {
      let written = 0;
      for await (const chunk of ArrayBuffer.isView(data) ? [data] : data) {
        await file.writeFile(chunk);
        written += chunk.byteLength;
      }
      const expected = elementCount(shape) * bytesPerElement[type];
      if (written !== expected) {
        throw new LincirError('bad-argument', {
          subject: `${path}: tensor ${quoted(name)}`,
          expected: `${expected} bytes for ${type} [${shape.join(', ')}]`,
          found: `${written} bytes`,
        });
      }
    }
  });
}

/**
 * Writes a float32 array of `shape`, row-major, atomically. Its elements come in chunks of any size.
 * Throws 'bad-argument' when their number does not fit the shape, and 'io'.
 */
export async function writeNpy(
  path: string,
  shape: readonly number[],
  chunks: AsyncIterable<Float32Array>,
): Promise<void> {
  await writeFileAtomically(path, async (file) => {
    await file.writeFile(npyHeader(shape));
    let written = 0;
    for await (const chunk of chunks) {
      await file.writeFile(chunk);
      written += chunk.length;
    }
    if (written !== elementCount(shape)) {
      throw new LincirError('bad-argument', {
        subject: path,
        expected: `${elementCount(shape)} elements for shape [${shape.join(', ')}]`,
        found: String(written),
      });
    }
  });
}
