/** Files of tensors, written whole or not at all: safetensors, and NumPy's .npy. */

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

/** A tensor to be written: its bytes as a typed array, or as chunks that come when it is their turn. */
export interface TensorToWrite {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly data: NodeJS.ArrayBufferView | AsyncIterable<Uint8Array>;
}

/**
 * Writes a safetensors file, atomically. Wide elements come first, so that each tensor is aligned to its own.
 * Throws 'bad-argument' when a tensor's bytes do not fit its type and shape or a name is used twice, and 'io'.
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
 * Writes a float32 array of `shape`, row-major, whose elements come in chunks of any size; atomically.
 * Throws 'bad-argument' when they are not as many as the shape says, and 'io'.
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
