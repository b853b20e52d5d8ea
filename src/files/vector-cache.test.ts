/** The cache of vectors: what was added is there, for other processes too, and nothing else passes for it. */

import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { VectorCache } from './vector-cache.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lincir-cache-'));
});
after(() => rm(folder, { recursive: true }));

const row = (value: number) => [value, value + 0.5, -value];
const matrix = (...values: number[]) => Float32Array.from(values.flatMap(row));

test('gives back what was added, in any order, also to who opens it later', async () => {
  const place = join(folder, 'plain');
  const cache = await VectorCache.open(place, 3);
  assert.equal(cache.has('a'), false);
  await cache.add(['a', 'b', 'c'], matrix(1, 2, 3));
  await cache.add(['d'], matrix(4));
  await cache.add([], new Float32Array());
  for (const each of [cache, await VectorCache.open(place, 3)]) {
    assert.deepEqual(
      ['a', 'd', 'e'].map((key) => each.has(key)),
      [true, true, false],
    );
    const into = new Float32Array(4 * 3);
    await each.read(Object.entries({ d: 0, a: 3, c: 1 }), into);
    assert.deepEqual(into, Float32Array.from([...row(4), ...row(3), 0, 0, 0, ...row(1)]));
    await assert.rejects(each.read([['e', 0]], into), { code: 'bad-argument' });
  }
});

test('two that add at once do not disturb each other', async () => {
  const place = join(folder, 'two');
  const caches = await Promise.all([VectorCache.open(place, 3), VectorCache.open(place, 3)]);
  await Promise.all(caches.map((cache, at) => cache.add([`from ${at}`], matrix(at))));
  const both = await VectorCache.open(place, 3);
  assert.deepEqual([both.has('from 0'), both.has('from 1')], [true, true]);
});

test('reads many rows, more than at once', async () => {
  const place = join(folder, 'many');
  const size = 2 ** 16;
  const rows = 200; // 52 MB
  const cache = await VectorCache.open(place, size);
  const vectors = new Float32Array(rows * size);
  for (let at = 0; at < rows; at += 1) vectors.fill(at, at * size, (at + 1) * size);
  const keys = Array.from({ length: rows }, (_, at) => `${at}`);
  await cache.add(keys, vectors);
  const into = new Float32Array(rows * size);
  await cache.read(
    keys.map((key, at) => [key, rows - 1 - at] as const),
    into,
  );
  for (let at = 0; at < rows; at += 1) {
    assert.equal(into[at * size], rows - 1 - at);
    assert.equal(into[(at + 1) * size - 1], rows - 1 - at);
  }
});

test('refuses files that are damaged or of other vectors, and passes over others', async () => {
  const place = join(folder, 'damaged');
  const cache = await VectorCache.open(place, 3);
  await cache.add(['a'], matrix(1));
  await writeFile(join(place, 'notes.txt'), 'mine');
  await VectorCache.open(place, 3);
  await assert.rejects(VectorCache.open(place, 4), {
    code: 'bad-file',
    message: /vectors of 4 numbers.*delete/,
  });
  const [name] = (await readdir(place)).filter((file) => file.endsWith('.safetensors'));
  await truncate(join(place, name!), 100);
  await assert.rejects(VectorCache.open(place, 3), { code: 'bad-file' });
});
