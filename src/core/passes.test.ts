/** Passes over arrays in a memory of their own and elsewhere: the same to the bit, and nothing beside them is touched. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chunkLength, PassMemory, runPass } from './passes.ts';
import { normals } from './random.ts';

const numbers = {
  squares: [],
  scale: [0.3],
  approach: [1 / 3],
  adamW: [0.1, 1e-3, 1e-6, 1e-2, 1.7, 1e-8],
} as const;

for (const [name, given] of Object.entries(numbers)) {
  const pass = name as keyof typeof numbers;
  test(`${pass} is the same wherever its arrays lie`, () => {
    for (const count of [1, 7, 16_385, chunkLength + 3]) {
      const memory = new PassMemory(count, 5);
      const values = [0, 1, 2, 3].map((row) =>
        normals({ seed: 1, purpose: 'noise', moment: 0, row }, count).map((value) =>
          row === 3 ? value * value : value,
        ),
      );
      const used = { squares: 1, scale: 1, approach: 2, adamW: 4 }[pass];
      const inPlace = values.map((array) => {
        const copy = memory.array(count);
        copy.set(array);
        return copy;
      });
      const neighbour = memory.array(count);
      // Elsewhere, and between other numbers, which must stay.
      const elsewhere = values.map((array) => {
        const wider = new Float32Array(count + 6).fill(5);
        wider.set(array, 3);
        return wider;
      });
      const views = elsewhere.map((array) => array.subarray(3, 3 + count));
      const sums = [inPlace, views].map((arrays) => runPass(pass, arrays.slice(0, used), given));
      assert.ok(Math.abs(sums[0]! - sums[1]!) <= 1e-12 * sums[1]!, `${sums}`);
      for (const [index, view] of views.entries()) {
        assert.deepEqual(inPlace[index], view);
        assert.deepEqual(
          [...elsewhere[index]!.slice(0, 3), ...elsewhere[index]!.slice(-3)],
          Array(6).fill(5),
        );
      }
      assert.ok(neighbour.every((value) => value === 0));
      if (pass === 'squares') {
        const expected = values[0]!.reduce((sum, value) => sum + value * value, 0);
        assert.ok(Math.abs(sums[0]! - expected) <= 1e-12 * expected);
      }
    }
  });
}
