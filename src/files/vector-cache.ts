/** A cache of vectors on disk, by keys, such as embeddings that take long to make. Files are only ever added to its folder. */

import { createHash, randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode, LincirError, readSafetensorsHeader, type StoredTensor } from '../core/index.ts';
import { removeLeftovers } from './asides.ts';
import { fileSource } from './file-source.ts';
import { asLincirError } from './refusals.ts';
import { makeFolder } from './write-file.ts';
import { writeSafetensors } from './write-tensors.ts';

interface Place {
  readonly vectors: StoredTensor;
  readonly row: number;
}

const keyBytes = 32;
/** Bytes of vectors to read at once. */
const bytesPerRead = 2 ** 24;

/**
 * A cache of vectors of one length. Each `add` makes its own file, whole or not at all. So several processes may add at
 * once, and none can harm what is there.
 */
export class VectorCache {
  readonly folder: string;
  readonly #dimensions: number;
  readonly #places = new Map<string, Place>();

  private constructor(folder: string, dimensions: number) {
    this.folder = folder;
    this.#dimensions = dimensions;
  }

  /** Opens the cache, or makes it. Throws LincirError 'io', and 'bad-file' for a foreign file in it. */
  static async open(folder: string, dimensions: number): Promise<VectorCache> {
    const cache = new VectorCache(folder, dimensions);
    await removeLeftovers(folder);
    for (const name of await filesIn(folder)) await cache.#include(join(folder, name));
    return cache;
  }

  has(key: string): boolean {
    return this.#places.has(digest(key));
  }

  /** Copies vectors to rows of `into`, [rows, dimensions]. Throws 'bad-argument' for a key that is not there. */
  async read(wanted: Iterable<readonly [key: string, row: number]>, into: Float32Array): Promise<void> {
    const rows = new Map<StoredTensor, [from: number, to: number][]>();
    for (const [key, to] of wanted) {
      const place = this.#places.get(digest(key));
      if (place === undefined) {
        throw new LincirError('bad-argument', { subject: this.folder, expected: 'a known key', found: key });
      }
      const pairs = rows.get(place.vectors) ?? [];
      rows.set(place.vectors, pairs);
      pairs.push([place.row, to]);
    }
    for (const [vectors, pairs] of rows) await this.#readRows(vectors, pairs, into);
  }

  /** Keeps vectors, [keys, dimensions]; they are on the disk when this returns. Throws 'io'. */
  async add(keys: readonly string[], vectors: Float32Array): Promise<void> {
    if (keys.length === 0) return;
    const file = join(this.folder, `${randomUUID()}.safetensors`);
    await makeFolder(this.folder);
    await writeSafetensors(file, [
      { name: 'vectors', type: 'float32', shape: [keys.length, this.#dimensions], data: vectors },
      {
        name: 'keys',
        type: 'uint8',
        shape: [keys.length, keyBytes],
        data: Buffer.from(keys.map(digest).join(''), 'latin1'),
      },
    ]);
    await this.#include(file);
  }

  async #include(file: string): Promise<void> {
    const { tensors } = await readSafetensorsHeader(await fileSource(file));
    const { keys, vectors } = expectTensors(file, tensors, this.#dimensions);
    const bytes = Buffer.from(await keys.source.read(keys.offset, keys.byteLength));
    for (let row = 0; row < keys.shape[0]!; row += 1) {
      const key = bytes.toString('latin1', row * keyBytes, (row + 1) * keyBytes);
      this.#places.set(key, { vectors, row });
    }
  }

  async #readRows(
    { source, offset }: StoredTensor,
    pairs: [from: number, to: number][],
    into: Float32Array,
  ): Promise<void> {
    const size = this.#dimensions;
    const rowsPerRead = Math.max(1, Math.floor(bytesPerRead / size / 4));
    pairs.sort(([a], [b]) => a - b);
    for (let next = 0; next < pairs.length; ) {
      const first = pairs[next]![0];
      let end = next + 1;
      while (end < pairs.length && pairs[end]![0] < first + rowsPerRead) end += 1;
      const rows = pairs[end - 1]![0] - first + 1;
      const bytes = await source.read(offset + first * size * 4, rows * size * 4);
      const values = new Float32Array(bytes.buffer, bytes.byteOffset, rows * size);
      for (const [from, to] of pairs.slice(next, end)) {
        into.set(values.subarray((from - first) * size, (from - first + 1) * size), to * size);
      }
      next = end;
    }
  }
}

async function filesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((name) => /^[\da-f-]{36}\.safetensors$/.test(name)).sort();
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw asLincirError(error, folder, 'read');
  }
}

function expectTensors(
  file: string,
  tensors: ReadonlyMap<string, StoredTensor>,
  dimensions: number,
): { readonly keys: StoredTensor; readonly vectors: StoredTensor } {
  const [keys, vectors] = [tensors.get('keys'), tensors.get('vectors')];
  const isWhole =
    keys?.type === 'uint8' &&
    vectors?.type === 'float32' &&
    keys.shape.length === 2 &&
    keys.shape[1] === keyBytes &&
    vectors.shape.length === 2 &&
    vectors.shape[0] === keys.shape[0] &&
    vectors.shape[1] === dimensions;
  if (isWhole) return { keys, vectors };
  throw new LincirError('bad-file', {
    subject: file,
    expected: `keys and vectors of ${dimensions} numbers`,
    found: 'other tensors',
    todo: 'delete this file: its contents are made again',
  });
}

/** A key of any length as `keyBytes` bytes, one for each character. */
function digest(key: string): string {
  return createHash('sha256').update(key).digest().toString('latin1');
}
