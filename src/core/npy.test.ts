/** Tests of writing and finding the arrays of .npy files. */

import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { memoryFile } from '../../test/fuzz/memory-file.ts';
import { readingFile, writeNpy } from '../files/index.ts';
import { readNpyHeader } from './npy.ts';

const folder = await mkdtemp(join(tmpdir(), 'lincir-npy-'));
after(() => rm(folder, { recursive: true }));

async function* chunks(...parts: readonly (readonly number[])[]) {
  for (const part of parts) {
    yield Float32Array.from(part);
  }
}

test('an array is written as NumPy writes it', async () => {
  const path = join(folder, 'a.npy');
  await writeNpy(path, [2, 3], chunks([1, 2], [], [3, 4, 5, 6]));
  const bytes = await readFile(path);
  // The header that numpy.save gives the same array, but for a space that it leaves out.
  const dictionary = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3,), }";
  assert.equal(bytes.toString('latin1', 0, 128), `\x93NUMPY\x01\x00\x76\x00${dictionary.padEnd(117)}\n`);
  assert.deepEqual(
    new Float32Array(Uint8Array.from(bytes.subarray(128)).buffer),
    Float32Array.of(1, 2, 3, 4, 5, 6),
  );
});

test('too few or too many elements leave no file', async () => {
  for (const part of [[1], [1, 2, 3]]) {
    const writing = writeNpy(join(folder, 'b.npy'), [2], chunks(part));
    await assert.rejects(writing, { code: 'bad-argument', message: /b\.npy.*2 elements for shape \[2\]/ });
  }
  assert.deepEqual(await readdir(folder), ['a.npy']);
});

/** A file of format `version` with this dictionary and so many bytes of data. */
function npyBytes(dictionary: string, dataLength: number, version = 1): Buffer {
  const length = Buffer.alloc(version === 1 ? 2 : 4);
  if (version === 1) length.writeUInt16LE(dictionary.length);
  else length.writeUInt32LE(dictionary.length);
  const magic = Buffer.from(`\x93NUMPY${String.fromCharCode(version, 0)}`, 'latin1');
  return Buffer.concat([magic, length, Buffer.from(dictionary, 'latin1'), Buffer.alloc(dataLength)]);
}

const plain = { isBigEndian: false, isColumnMajor: false };

test('what has been written is found', async () => {
  const path = join(folder, 'c.npy');
  await writeNpy(path, [2, 3], chunks([1, 2, 3, 4, 5, 6]));
  const header = await readingFile(path, readNpyHeader);
  assert.deepEqual(header, { shape: [2, 3], type: 'float32', offset: 128, ...plain });
});

test('every version, precision and shape is found', async () => {
  const read = (dictionary: string, length: number, version?: number) =>
    readNpyHeader(memoryFile(npyBytes(dictionary, length, version)));
  const half = "{'descr': '<f2', 'fortran_order': False, 'shape': (5, 1), }   \n";
  assert.deepEqual(await read(half, 10), { shape: [5, 1], type: 'float16', offset: 73, ...plain });
  assert.deepEqual(await read(half, 10, 2), { shape: [5, 1], type: 'float16', offset: 75, ...plain });
  assert.deepEqual(await read(half, 10, 3), { shape: [5, 1], type: 'float16', offset: 75, ...plain });
  const double = (shape: string) => `{'shape': ${shape}, 'fortran_order': False, 'descr': '<f8'}\n`;
  assert.deepEqual((await read(double('()'), 8)).shape, []);
  const other = "{'descr': '>f4', 'fortran_order': True, 'shape': (2, 1), }\n";
  const order = { isBigEndian: true, isColumnMajor: true };
  assert.deepEqual(await read(other, 8), { shape: [2, 1], type: 'float32', offset: 69, ...order });
  assert.deepEqual((await read(double('(3,)'), 24)).shape, [3]);
  assert.deepEqual((await read(double('(2L, 0L)'), 0)).shape, [2, 0]);
});

test('a header that goes wrong late is refused at once', async () => {
  const dictionary = `{${"'a': 1  ".repeat(5000)}`;
  await assert.rejects(readNpyHeader(memoryFile(npyBytes(dictionary, 4))), { code: 'bad-file' });
});

test('other arrays, and headers that promise what is not there, are refused', async () => {
  const refuses = async (bytes: Uint8Array, message: RegExp) =>
    await assert.rejects(readNpyHeader(memoryFile(bytes, 'x.npy')), { code: 'bad-file', message });
  const header = (descr: string, order = 'False', shape = '(1,)') =>
    npyBytes(`{'descr': ${descr}, 'fortran_order': ${order}, 'shape': ${shape}, }\n`, 4);
  await refuses(Buffer.alloc(4), /^x\.npy: NumPy header: .*other data; save it again with numpy\.save/);
  await refuses(Buffer.alloc(400), /other data/);
  await refuses(npyBytes('{}', 0, 4), /other data/);
  await refuses(header("'>i4'"), /floats, f2, f4, f8, behind < or >, found .*>i4/);
  await refuses(header("'|u1'"), /expected floats/);
  await refuses(header("'<c8'"), /expected floats/);
  await refuses(header("[('a', '<f4')]"), /without fields/);
  await refuses(header("'<f4'", '1'), /'fortran_order': False or True/);
  await refuses(header("'<f4'", 'False', '3'), /expected a shape/);
  await refuses(header("'<f4'", 'False', '(2,)'), /expected 8 bytes for float32 "\[2\]", found 4/);
  await refuses(header("'<f4'", 'False', `(${'9'.repeat(400)},)`), /expected Infinity bytes/);
  await refuses(npyBytes(' '.repeat(70_000), 4, 2), /at most 65536 bytes within the file, found 70000/);
  await refuses(npyBytes(' '.repeat(70), 0).subarray(0, 60), /found 70 bytes/);
});
