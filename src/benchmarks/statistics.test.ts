/** Intervals and tests against what is known of them. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sequence } from '../core/index.ts';
import { bootstrap, differenceOf, figureOf, meanOf, pairedP, sampleOf } from './statistics.ts';

const random = (seed: number) => sequence({ seed, purpose: 'bootstrap', moment: 0, row: 0 });
const coins = (count: number, heads: number, seed: number): number[] => {
  const next = random(seed);
  return Array.from({ length: count }, () => (next() < heads ? 1 : 0));
};
const alike = (count: number) =>
  sampleOf(
    Array.from({ length: count }, () => []),
    'queries',
  );

test('a mean of groups counts each group alike', () => {
  const groups = [['a'], ['a'], ['a'], ['b']];
  assert.equal(meanOf([1, 1, 1, 0], sampleOf(groups, 'groups')), 0.5);
  assert.equal(meanOf([1, 1, 1, 0], sampleOf(groups, 'queries')), 0.75);
});

test('the interval of a proportion is the binomial one', () => {
  const values = coins(2000, 0.3, 1);
  const sample = alike(values.length);
  const value = meanOf(values, sample);
  const [resampled] = bootstrap([values], sample);
  const { low, high } = figureOf(value, resampled!);
  const half = 1.96 * Math.sqrt((value * (1 - value)) / values.length);
  assert.ok(Math.abs(low - (value - half)) < 0.15 * half, `${low}`);
  assert.ok(Math.abs(high - (value + half)) < 0.15 * half, `${high}`);
  assert.deepEqual(bootstrap([values], sample)[0], resampled);
});

test('strata are resampled each on its own', () => {
  // One group is all right, the other all wrong: no resample within groups can change that.
  const values = [1, 1, 1, 0, 0];
  const groups = [['a'], ['a'], ['a'], ['b'], ['b']];
  const [fixed] = bootstrap([values], sampleOf(groups, 'groups'));
  assert.ok(fixed!.every((value) => Math.abs(value - 0.5) < 1e-12));
  const [free] = bootstrap([values], sampleOf(groups, 'queries'));
  assert.ok(new Set(free).size > 3);
});

test('differences of methods that go together are surer than those of others', () => {
  const a = coins(500, 0.5, 2);
  const better = a.map((value, at) => (at % 10 === 0 ? 1 : value));
  const other = coins(500, 0.55, 3);
  const sample = alike(500);
  const rows = [a, better, other];
  const resampled = bootstrap(rows, sample);
  const of = (at: number) => ({ values: rows[at]!, resampled: resampled[at]! });
  const [paired, unpaired] = [differenceOf(of(1), of(0), sample), differenceOf(of(2), of(0), sample)];
  assert.ok(paired.low > 0 && paired.p < 0.01, JSON.stringify(paired));
  assert.ok(unpaired.high - unpaired.low > 2 * (paired.high - paired.low));
  assert.deepEqual(differenceOf(of(0), of(0), sample), { value: 0, low: 0, high: 0, p: 1 });
});

test('p of the paired test equals the sign test where all differences are alike', () => {
  // Nine queries won, one lost: two-sided, (1 + 10) * 2 / 2^10.
  const a = [1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1];
  const b = [0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1];
  const p = pairedP(a, b, alike(a.length));
  assert.ok(Math.abs(p - 22 / 1024) < 0.01, `${p}`);
});

test('by chance alone, p is below 0.05 in some 5 % of cases', () => {
  let below = 0;
  for (let trial = 0; trial < 200; trial += 1) {
    const p = pairedP(coins(100, 0.5, 10 + trial), coins(100, 0.5, 1000 + trial), alike(100), trial);
    if (p < 0.05) below += 1;
  }
  assert.ok(below >= 2 && below <= 20, `${below} of 200`);
});
