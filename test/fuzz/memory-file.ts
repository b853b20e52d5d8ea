/** Files in memory, for tests of the readers. */

import type { ModelFiles, RandomAccess } from '../../src/core/index.ts';

/** Bytes as a file. A read outside of them throws a plain Error, so that a reader that asks for it is caught. */
export function memoryFile(bytes: Uint8Array, name = 'memory'): RandomAccess {
  return {
    name,
    size: bytes.length,
    read: async (offset, length) => {
      if (!(offset >= 0 && length >= 0 && offset + length <= bytes.length)) {
        throw new Error(`a read of ${length} bytes at ${offset}, of ${bytes.length}`);
      }
      return Uint8Array.from(bytes.subarray(offset, offset + length));
    },
  };
}

/** A model whose files are in memory. */
export function memoryFiles(files: ReadonlyMap<string, Uint8Array>): ModelFiles {
  return {
    name: 'memory',
    read: async (name) => {
      const bytes = files.get(name);
      return bytes && memoryFile(bytes, `memory/${name}`);
    },
  };
}

/** A safetensors file with this header, as text or as what JSON.stringify makes of it, and so many zeros of data. */
export function safetensorsBytes(header: unknown, dataLength: number): Uint8Array {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = Buffer.alloc(8 + json.length + dataLength);
  bytes.writeBigUInt64LE(BigInt(json.length));
  json.copy(bytes, 8);
  return bytes;
}
