/** Relevance feedback against Rocchio's formula, worked out by hand. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withFeedback } from './feedback.ts';

const x = Float32Array.of(1, 0, 0);
const y = Float32Array.of(0, 1, 0);
const z = Float32Array.of(0, 0, 1);

function assertDirection(actual: Float32Array, expected: readonly number[]): void {
  const length = Math.hypot(...expected);
  assert.equal(actual.length, expected.length);
  actual.forEach((value, at) => {
    assert.ok(Math.abs(value - expected[at]! / length) < 1e-6, `${actual} instead of ${expected}`);
  });
}

test('moves a query towards some images and away from others', () => {
  assertDirection(withFeedback(x, { more: [y] }), [1, 0.75, 0]);
  assertDirection(withFeedback(x, { less: [z] }), [1, 0, -0.25]);
  assertDirection(withFeedback(x, { more: [y], less: [z], moreWeight: 2, lessWeight: 0.5 }), [1, 2, -0.5]);
  assertDirection(withFeedback(x, { more: [y, z] }), [1, 0.75 * Math.SQRT1_2, 0.75 * Math.SQRT1_2]);
});

test('counts directions alone, however long the embeddings are', () => {
  const long = y.map((value) => 40 * value);
  assertDirection(withFeedback(x, { more: [long, z] }), [...withFeedback(x, { more: [y, z] })]);
});

test('leaves the query and the images as they are', () => {
  const [query, image] = [x.slice(), y.slice()];
  withFeedback(query, { more: [image], less: [image] });
  assert.deepEqual([query, image], [x, y]);
  assert.equal(withFeedback(query, { more: [] }), query);
});

test('refuses weights without images, and what cancels out', () => {
  assert.throws(
    () => withFeedback(x, { moreWeight: 1 }),
    /`moreWeight`: expected images as `more`, found none/,
  );
  assert.throws(() => withFeedback(x, { more: [y], lessWeight: 1 }), /`lessWeight`.*`less`/);
  assert.throws(
    () => withFeedback(x, { less: [x], lessWeight: 1 }),
    /the query with its feedback: expected a direction, found parts that cancel each other out/,
  );
});
