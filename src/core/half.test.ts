/** Halves against the formats' own definition: the nearest of all halves. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { halfOf } from './half.ts';
import { toFloat32 } from './read-tensor.ts';

/** All finite halves that are not negative, in order. */
const halves = toFloat32('float16', Uint16Array.from({ length: 0x7c00 }, (_, at) => at).buffer);

test('every half is itself, with either sign', () => {
  for (const [at, value] of halves.entries()) {
    assert.equal(halfOf(value), at);
    assert.equal(halfOf(-value), at | 0x8000);
  }
});

test('others become the nearest, and ties the even one', () => {
  for (let at = 0; at + 1 < halves.length; at += 1) {
    const [below, above] = [halves[at]!, halves[at + 1]!];
    const middle = (below + above) / 2;
    assert.equal(halfOf(middle), at % 2 === 0 ? at : at + 1, `${middle}`);
    assert.equal(halfOf(Math.fround(below + (above - below) * 0.49)), at, `after ${below}`);
    assert.equal(halfOf(Math.fround(below + (above - below) * 0.51)), at + 1, `before ${above}`);
  }
  assert.deepEqual([1e-30, 65_519, 65_520, 1e30, Number.NEGATIVE_INFINITY, Number.NaN].map(halfOf), [
    ...[0, 0x7bff, 0x7c00, 0x7c00, 0xfc00, 0x7e00],
  ]);
});
