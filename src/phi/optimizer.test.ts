/** AdamW, clipping and the moving average against their formulas, worked out by hand. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { adamW, clipByNorm, updateAverage } from './optimizer.ts';

const options = { learningRate: 0.1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 };

test('the first step of AdamW goes by the learning rate, whatever the gradient, and decays', () => {
  const parameters = Float32Array.of(1, -2, 0);
  const moments = { first: new Float32Array(3), second: new Float32Array(3) };
  adamW(parameters, Float32Array.of(1e-3, -40, 0), moments, 1, options);
  const expected = [0.999 - 0.1, -2 * 0.999 + 0.1, 0];
  expected.forEach((value, at) => {
    assert.ok(Math.abs(parameters[at]! - value) < 2e-6);
  });
  assert.ok(Math.abs(moments.first[1]! + 4) < 1e-6 && Math.abs(moments.second[1]! - 1.6) < 1e-6);
});

test('the second step corrects its moments for both', () => {
  const parameters = Float32Array.of(0);
  const moments = { first: new Float32Array(1), second: new Float32Array(1) };
  adamW(parameters, Float32Array.of(1), moments, 1, options);
  adamW(parameters, Float32Array.of(3), moments, 2, options);
  const mean = (0.9 * 0.1 * 1 + 0.1 * 3) / (1 - 0.81);
  const square = (0.999 * 0.001 * 1 + 0.001 * 9) / (1 - 0.999 ** 2);
  assert.ok(Math.abs(parameters[0]! - (-0.1 * 0.999 - (0.1 * mean) / Math.sqrt(square))) < 1e-6);
});

test('clipping shortens long gradients only, and tells their length', () => {
  const gradient = Float32Array.of(3, 4);
  assert.equal(clipByNorm(gradient, undefined), 5);
  assert.equal(clipByNorm(gradient, 6), 5);
  assert.deepEqual([...gradient], [3, 4]);
  assert.equal(clipByNorm(gradient, 1), 5);
  assert.ok(Math.abs(clipByNorm(gradient, 1) - 1) < 1e-6);
});

test('the average follows quickly at first, and slowly later', () => {
  const average = Float32Array.of(0);
  updateAverage(average, Float32Array.of(1), 1);
  assert.ok(Math.abs(average[0]! - 9 / 11) < 1e-6);
  updateAverage(average, Float32Array.of(2), 1_000_000);
  assert.ok(Math.abs(average[0]! - (9 / 11 + 1e-4 * (2 - 9 / 11))) < 1e-6);
});
