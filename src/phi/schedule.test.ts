/** Schedules against their formulas, worked out by hand. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { learningRateAt, type Schedule } from './schedule.ts';

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
