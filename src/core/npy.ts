/** NumPy's .npy files: writing float32 arrays. */
// The format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html

import { LincirError } from './errors.ts';
import { writeFileAtomically } from './files.ts';
import { elementCount } from './tensors.ts';

/** The header's length is a multiple of this. */
const alignment = 64;

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
    await file.writeFile(headerBytes(shape));
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

/** Format 1.0: magic, version, length, a Python dictionary, and spaces up to a line end. */
function headerBytes(shape: readonly number[]): Uint8Array {
  const tuple = `(${shape.map((size) => `${size},`).join(' ')})`;
  const dictionary = `{'descr': '<f4', 'fortran_order': False, 'shape': ${tuple}, }`;
  const length = Math.ceil((10 + dictionary.length + 1) / alignment) * alignment;
  const header = Buffer.alloc(length, ' ');
  header.write('\x93NUMPY\x01\x00', 'latin1');
  header.writeUInt16LE(length - 10, 8);
  header.write(dictionary, 10, 'latin1');
  header.write('\n', length - 1);
  return header;
}
