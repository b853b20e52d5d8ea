/** Curves that stay small, and their noise taken away. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Curve, smoothed } from './curves.ts';

test('a short curve is its values, and what is not finite is counted', () => {
  const curve = new Curve();
  [3, Number.NaN, 1, Number.NEGATIVE_INFINITY, 2].forEach((value, index) => {
    curve.add(index + 1, value);
  });
  assert.deepEqual(
    curve.points.map(({ step, value, low, high }) => [step, value, low, high]),
    [1, 3, 5].map((step, index) => [step, ...Array(3).fill([3, 1, 2][index])]),
  );
  assert.equal(curve.notFinite, 2);
});

test('a long curve has few points, which still tell of every step', () => {
  const curve = new Curve();
  const count = 70_001;
  for (let step = 1; step <= count; step += 1) curve.add(step, step === 40_000 ? -1 : step % 10);
  const { points } = curve;
  assert.ok(points.length > 256 && points.length <= 512, String(points.length));
  const sum = (terms: readonly number[]) => terms.reduce((a, b) => a + b, 0);
  assert.equal(sum(points.map((point) => point.count)), count);
  const total = sum(points.map((point) => point.value * point.count));
  assert.ok(Math.abs(total - 315_000) < 1e-6, String(total));
  const lowest = points.find(({ low }) => low === -1)!;
  assert.ok(Math.abs(lowest.step - 40_000) < 256 && lowest.high === 9);
  assert.ok(points.every(({ step }, index) => index === 0 || step > points[index - 1]!.step));
});

test('smoothing leaves a straight line as it is, to its ends, and quietens noise', () => {
  const points = Array.from({ length: 500 }, (_, index) => ({ step: 3 * index, value: 7 - index, count: 1 }));
  smoothed(points).forEach((value, index) => {
    assert.ok(Math.abs(value - points[index]!.value) < 1e-9);
  });
  const noisy = points.map((point, index) => ({ ...point, value: point.value + (index % 2 ? 1 : -1) }));
  smoothed(noisy).forEach((value, index) => {
    const atEnd = index < 10 || index >= 490;
    assert.ok(Math.abs(value - points[index]!.value) < (atEnd ? 0.5 : 0.05), `${index}: ${value}`);
  });
  assert.deepEqual(smoothed([]), []);
  assert.deepEqual(smoothed([{ step: 5, value: 2, count: 1 }]), [2]);
});
