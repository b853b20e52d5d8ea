/** Embeddings are ranked by their direction, whatever their length. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearest } from './nearest.ts';

const query = { vector: Float32Array.of(0.6, 0.8) };

test('ranks rows by their cosine, the first of equals first', () => {
  const data = Float32Array.of(1, 0, 6, 8, 0, 0, -3, -4, 0.06, 0.08);
  const found = nearest(query, { shape: [5, 2], data });
  assert.deepEqual(
    found.map(({ row }) => row),
    [1, 4, 0, 2, 3],
  );
  const expected = [1, 1, 0.6, 0, -1];
  for (const [at, { score }] of found.entries()) assert.ok(Math.abs(score - expected[at]!) < 1e-6);
  assert.deepEqual(nearest(query, { shape: [5, 2], data }, 2), found.slice(0, 2));
});

test('refuses embeddings of another model', () => {
  assert.throws(() => nearest(query, { shape: [1, 3], data: new Float32Array(3) }), { code: 'bad-argument' });
});
