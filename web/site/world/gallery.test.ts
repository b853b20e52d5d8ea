/** What travels comes out as it went in, and rankings are right. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { miniPrompts } from '../../../src/benchmarks/portable.ts';
import { buildBenchmark } from '../../../src/mini/portable.ts';
import { wording } from './asking.ts';
import { nearest, packGallery, unpackGallery } from './gallery.ts';
import { apart, together } from './packed.ts';

test('bytes of equal weight are put apart and together again', () => {
  const bytes = Uint8Array.of(1, 2, 3, 4, 5, 6, 7);
  assert.deepEqual([...apart(bytes, 2)], [1, 3, 5, 2, 4, 6, 7]);
  for (const size of [1, 2, 4, 8]) assert.deepEqual(together(apart(bytes, size), size), bytes);
});

test('a gallery in bytes is nearly as it was, and ranks as it does', async () => {
  const dimensions = 16;
  const data = Float32Array.from({ length: 50 * dimensions }, (_, at) => 10 * Math.sin(at * at));
  const gallery = await unpackGallery(packGallery({ shape: [50, dimensions], data }));
  assert.deepEqual(gallery.embeddings.shape, [50, dimensions]);
  for (const [at, value] of data.entries()) {
    assert.ok(Math.abs(gallery.embeddings.data[at]! - value) <= 10 / 254 + 1e-6, `${at}`);
  }
  const query = gallery.directions.slice(7 * dimensions, 8 * dimensions);
  const scores = Array.from({ length: 50 }, (_, row) =>
    query.reduce((sum, value, at) => sum + value * gallery.directions[row * dimensions + at]!, 0),
  );
  const expected = [...scores.keys()].sort((a, b) => scores[b]! - scores[a]!).map((row) => row + 1);
  assert.equal(expected[0], 8);
  const found = nearest(gallery, query, 20).map(({ id }) => id);
  assert.deepEqual(found, expected.slice(0, 20));
  assert.deepEqual(
    nearest(gallery, query, 20, 8).map(({ id }) => id),
    expected.slice(1, 21),
  );
});

test("the page's wording of the benchmark's queries is the benchmark's", () => {
  for (const { text } of buildBenchmark(1, { gallery: 400, queries: 60 }).queries) {
    assert.equal(wording('lincir', text), miniPrompts.composed.replace('{text}', text));
    assert.equal(wording('sum', text), miniPrompts.text.replace('{text}', text));
  }
  assert.equal(wording('lincir', 'but in blue'), '$ $ $ $ but in blue');
  assert.equal(wording('lincir', '$ at night'), '$ at night');
});
