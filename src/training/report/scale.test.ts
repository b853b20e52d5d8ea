/** Axes: round ticks that cover all values, and numbers as people read them. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { numberText, type Scale, stepScale, valueScale } from './scale.ts';

function texts({ ticks }: Scale): string {
  return ticks.map(({ text }) => text).join(' ');
}

test('steps begin at 0 and have whole ticks', () => {
  assert.equal(texts(stepScale(0, 10)), '0 1');
  assert.equal(texts(stepScale(3, 10)), '0 1 2 3');
  assert.equal(texts(stepScale(1234, 3)), '0 500 1,000');
  assert.equal(texts(stepScale(20_000, 10)).split(' ').length, 11);
  assert.equal(stepScale(1234, 3).place(1234), 1);
});

test('values lie between the first and the last tick', () => {
  assert.equal(texts(valueScale([0.121, 0.149], 4)), '0.12 0.13 0.14 0.15');
  assert.equal(texts(valueScale([-1.3, 7], 4)), '-5 0 5 10');
  assert.equal(texts(valueScale([0, 1e-4], 4)), '0 5e-5 1e-4');
  assert.equal(texts(valueScale([24.31415, 24.31419], 4)), '24.31415 24.31416 24.31417 24.31418 24.31419');
  assert.equal(texts(valueScale([0.004, 0.3], 6)), '0.002 0.005 0.01 0.02 0.05 0.1 0.2 0.5');
  assert.equal(texts(valueScale([3e-7, 2], 4)), '1e-7 1e-6 1e-5 1e-4 0.001 0.01 0.1 1 10');
  for (const values of [
    [5],
    [0],
    [-3, -3],
    [0, 0.1],
    [1e-9, 1],
    [1e300, 1e308],
    [1, 1 + 1e-15],
    [1e-45, 1],
  ]) {
    const { place, ticks } = valueScale(values, 4);
    for (const value of values) assert.ok(place(value) >= 0 && place(value) <= 1, `${value} of ${values}`);
    assert.ok(ticks.length >= 2 && ticks.every(({ value }) => Number.isFinite(place(value))), String(values));
  }
});

test('a logarithmic axis bears what has no logarithm', () => {
  const { isLogarithmic, place } = valueScale([0.01, 1], 4);
  assert.ok(isLogarithmic && !valueScale([0.2, 1], 4).isLogarithmic && !valueScale([-1, 1], 4).isLogarithmic);
  assert.deepEqual([0.1, 0, -5, 1e300].map(place), [0.5, -1, -1, 2]);
});

test('numbers have four digits that count', () => {
  const expected: readonly (readonly [number, string])[] = [
    [0, '0'],
    [0.123456, '0.1235'],
    [41.5, '41.5'],
    [123_456.7, '123,457'],
    [0.00012345, '1.23e-4'],
    [3e9, '3e9'],
    [Number.NaN, 'NaN'],
    [Number.NEGATIVE_INFINITY, '-∞'],
  ];
  for (const [value, text] of expected) assert.equal(numberText(value), text);
  assert.equal(numberText(12.8, true), '12.80');
});
