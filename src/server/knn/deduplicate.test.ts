/** Near duplicates, against every pair compared with every other. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { normals } from '../../core/index.ts';
import { firstOfDuplicates } from './deduplicate.ts';

const scope = () => ({ signal: new AbortController().signal, deadline: performance.now() + 60_000 });

function unit(values: readonly number[]): number[] {
  const length = Math.hypot(...values);
  return values.map((value) => value / length);
}

test('keeps the first of each connected component above 0.94', async () => {
  const size = 30;
  const count = 240;
  const noise = normals({ seed: 1, purpose: 'noise', moment: 0, row: 0 }, size * count);
  // Twelve walks: each vector is near to the one before it, few are near to the first.
  const raw: number[][] = [];
  for (let row = 0; row < count; row += 1) {
    const step = [...noise.slice(row * size, (row + 1) * size)];
    const before = raw[row - 12];
    raw.push(before ? before.map((value, at) => value + 0.35 * step[at]!) : step);
  }
  const vectors = raw.map(unit);
  const cosine = (one: number, other: number) =>
    vectors[one]!.reduce((sum, value, at) => sum + value * vectors[other]![at]!, 0);
  const seen = new Set<number>();
  const firsts: number[] = [];
  let chained = 0;
  for (let row = 0; row < count; row += 1) {
    if (seen.has(row)) continue;
    firsts.push(row);
    const waiting = [row];
    seen.add(row);
    for (let one = waiting.pop(); one !== undefined; one = waiting.pop()) {
      for (let other = 0; other < count; other += 1) {
        if (seen.has(other) || cosine(one, other) <= 0.94) continue;
        if (cosine(row, other) <= 0.94) chained += 1;
        seen.add(other);
        waiting.push(other);
      }
    }
  }
  assert.ok(chained > 5 && firsts.length > 12 && firsts.length < count, `${chained}, ${firsts.length}`);
  assert.deepEqual(await firstOfDuplicates([...vectors.keys()], vectors, scope()), firsts);
});

test('lets others work in between, and stops for a client that has gone or waits no longer', async () => {
  const noise = normals({ seed: 2, purpose: 'noise', moment: 0, row: 0 }, 3000 * 64);
  const vectors = Array.from({ length: 3000 }, (_, row) => unit([...noise.slice(row * 64, (row + 1) * 64)]));
  let turns = 0;
  const ticking = setInterval(() => {
    turns += 1;
  });
  const found = await firstOfDuplicates(vectors, vectors, scope());
  clearInterval(ticking);
  assert.equal(found.length, 3000);
  assert.ok(turns > 1);
  const gone = AbortSignal.abort(new Error('gone'));
  await assert.rejects(firstOfDuplicates(vectors, vectors, { ...scope(), signal: gone }), /gone/);
  await assert.rejects(firstOfDuplicates(vectors, vectors, { ...scope(), deadline: 0 }), {
    code: 'busy',
  });
  assert.deepEqual(await firstOfDuplicates([], [], scope()), []);
});
