/** AdamW, clipping, the moving average and the schedules against their formulas, worked out by hand. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { adamW, clipByNorm, updateAverage } from './optimizer.ts';
import { learningRateAt, type Schedule } from './schedule.ts';

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

test('schedules rise in warm-up, and fall as their names say', () => {
  const rates = (schedule: Schedule, steps: readonly number[]): number[] =>
    steps.map((step) => {
      const shape = { schedule, learningRate: 1, warmup: 10, steps: 110, cycles: 2, power: 2 };
      return Number(learningRateAt(step, shape).toFixed(4));
    });
  const steps = [1, 6, 11, 36, 61, 86, 111];
  assert.deepEqual(rates('constant', steps), [0, 0.5, 1, 1, 1, 1, 1]);
  assert.deepEqual(rates('linear', steps), [0, 0.5, 1, 0.75, 0.5, 0.25, 0]);
  assert.deepEqual(rates('cosine', steps), [0, 0.5, 1, 0.8536, 0.5, 0.1464, 0]);
  assert.deepEqual(rates('cosine-restarts', steps), [0, 0.5, 1, 0.5, 1, 0.5, 0]);
  assert.deepEqual(rates('polynomial', steps), [0, 0.5, 1, 0.5625, 0.25, 0.0625, 0]);
  assert.equal(
    learningRateAt(1, { schedule: 'constant', learningRate: 1, warmup: 0, steps: 9, cycles: 1, power: 1 }),
    1,
  );
});
