/** Tests of writing .npy files. */

import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { writeNpy } from './npy.ts';

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
