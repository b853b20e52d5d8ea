/** Pictures are embedded in the parts that there is memory for. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LincirError } from '../../../../src/core/index.ts';
import { embedInParts } from './embed-in-parts.ts';

const pictures = Array.from({ length: 7 }, (_, at) => Float32Array.of(at, at));
const noMemory = new LincirError('device', { subject: 'memory', expected: 'enough', found: 'none left' });

/** Embeddings of three numbers. */
function embedAtMost(most: number) {
  return async (pixels: Float32Array) => {
    if (pixels.length / 2 > most) throw noMemory;
    return Float32Array.from({ length: (pixels.length / 2) * 3 }, (_, at) => pixels[Math.floor(at / 3) * 2]!);
  };
}

test('in one part where there is memory', async () => {
  const { rows, atOnce } = await embedInParts(pictures, embedAtMost(7));
  assert.equal(atOnce, 7);
  assert.deepEqual(rows[6], Float32Array.of(6, 6, 6));
});

test('in smaller ones where there is less, each picture once', async () => {
  const { rows, atOnce } = await embedInParts(pictures, embedAtMost(2));
  assert.equal(atOnce, 2);
  assert.deepEqual(
    rows.map((row) => [...row]),
    pictures.map(([value]) => [value, value, value]),
  );
});

test('what is wrong with a single picture, or otherwise, is told', async () => {
  await assert.rejects(embedInParts(pictures, embedAtMost(0)), noMemory);
  let calls = 0;
  const other = new Error('no such thing');
  const embed = async () => {
    calls++;
    throw other;
  };
  await assert.rejects(embedInParts(pictures, embed), other);
  assert.equal(calls, 1);
});
