/** The order of captions: each as often as its weight says, every epoch anew, from any place. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { captionOrder } from './order.ts';

const named = (order: ReturnType<typeof captionOrder>, first: number, count: number): string[] =>
  order.places(first, count).map(({ source, index }) => `${source}:${index}`);

test('every caption comes once in an epoch, whatever their number', () => {
  for (const captions of [1, 2, 3, 5, 16, 17, 1000, 4097]) {
    const order = captionOrder([{ captions, weight: 1 }], 3);
    assert.equal(order.epochLength, captions);
    for (const epoch of [0, 1, 70_000]) {
      assert.equal(new Set(named(order, epoch * captions, captions)).size, captions, `${captions}, ${epoch}`);
    }
  }
});

test('epochs and seeds have orders of their own, and a place needs no way to it', () => {
  const sources = [
    { captions: 700, weight: 1 },
    { captions: 300, weight: 1 },
  ];
  const order = captionOrder(sources, 1);
  const all = named(order, 0, 3000);
  const orders = [0, 1000, 2000].map((start) => all.slice(start, start + 1000).join());
  assert.equal(new Set([...orders, named(captionOrder(sources, 2), 0, 1000).join()]).size, 4);
  assert.deepEqual(named(captionOrder(sources, 1), 1990, 40), all.slice(1990, 2030));
});

test('weights repeat captions, or spread them over epochs', () => {
  const order = captionOrder(
    [
      { captions: 100, weight: 2 },
      { captions: 100, weight: 0.5 },
    ],
    1,
  );
  assert.equal(order.epochLength, 250);
  for (const epoch of [0, 1, 2]) {
    const counts = new Map<string, number>();
    for (const name of named(order, 250 * 2 * epoch, 500)) counts.set(name, (counts.get(name) ?? 0) + 1);
    for (let index = 0; index < 100; index += 1) {
      assert.equal(counts.get(`0:${index}`), 4);
      assert.equal(counts.get(`1:${index}`), 1);
    }
  }
});

test('an order looks random: neighbours are as far apart as chance has them', () => {
  const captions = 100_000;
  const places = captionOrder([{ captions, weight: 1 }], 5).places(0, captions);
  const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const steps = places.slice(1).map(({ index }, at) => Math.abs(index - places[at]!.index));
  assert.ok(Math.abs(mean(steps) / captions - 1 / 3) < 0.003, `${mean(steps) / captions}`);
  const front = places.slice(0, captions / 10).map(({ index }) => index);
  assert.ok(Math.abs(mean(front) / captions - 1 / 2) < 0.01, `${mean(front) / captions}`);
  const kept = places.filter(({ index }, at) => index === at).length; // 1 is to be expected
  assert.ok(kept < 10, `${kept} in their own place`);
});
