/** How the positions of a run follow from device and memory. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TextConfig } from '../clip/index.ts';
import { positionsFor } from './positions.ts';

const giga: TextConfig = {
  ...{ width: 1280, heads: 20, layers: 32, feedForward: 5120, activation: 'gelu', epsilon: 1e-5 },
  ...{ projection: 1280, vocabulary: 49408, positions: 77, endOfText: 'largest' },
};
const [cuda, half] = [{ device: 'cuda' } as const, { device: 'cuda', precision: 'float16' } as const];

test('a CPU gets what its cache holds, a GPU what its memory holds', () => {
  assert.equal(positionsFor(giga, {}), 1024);
  assert.equal(positionsFor(giga, { device: 'webgpu' }), 4096);
  assert.equal(positionsFor(giga, half, 140e9), 16_384);
  assert.equal(positionsFor(giga, half, 24e9), 2048);
  assert.ok(positionsFor(giga, cuda, 24e9) < positionsFor(giga, half, 24e9));
  assert.equal(positionsFor(giga, cuda, 1e9), 512);
});
