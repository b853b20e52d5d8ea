/** Rankings against a full sort written here, and what happens where images are equally similar. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { normalizeRows, normals } from '../core/index.ts';
import type { BenchmarkQuery } from './benchmark.ts';
import { rank } from './ranking.ts';

const dimensions = 8;
const noise = (rows: number, row: number) =>
  normals({ seed: 5, purpose: 'noise', moment: 0, row }, rows * dimensions);

function pictures(data: Float32Array, names: readonly string[]) {
  return { data, dimensions, rows: new Map(names.map((name, row) => [name, row])), encoded: 0 };
}

const ids = Array.from({ length: 300 }, (_, at) => `p${at}`);
const query = (id: string, more: Partial<BenchmarkQuery>): BenchmarkQuery => ({
  ...{ id, reference: 'p0', texts: ['x'], groups: [] },
  ...more,
});

test('equals a full sort by cosine similarity, for several galleries, with exclusions and candidates', async () => {
  const data = noise(ids.length, 0).map((value, at) => value * (1 + (at % 7)));
  const odd = ids.filter((_, at) => at % 2 === 1);
  const galleries = new Map([
    ['all', ids],
    ['odd', odd],
    ['reversed', ids.toReversed()],
  ]);
  const queries = [
    query('a', { gallery: 'all' }),
    query('b', { gallery: 'odd', exclude: ['p3', 'p4'], candidates: ['p9', 'p2', 'p5'] }),
    query('c', { candidates: ['p1', 'p0'] }),
    query('d', { gallery: 'reversed', exclude: ['p7'] }),
  ];
  const vectors = noise(queries.length, 1);
  normalizeRows(vectors, dimensions);
  const sorted = (at: number, names: readonly string[]) => {
    const similarity = (name: string): number => {
      const row = data.slice(ids.indexOf(name) * dimensions, (ids.indexOf(name) + 1) * dimensions);
      const own = vectors.slice(at * dimensions, (at + 1) * dimensions);
      return own.reduce((sum, value, i) => sum + value * row[i]!, 0) / Math.hypot(...row);
    };
    return names.toSorted((a, b) => similarity(b) - similarity(a));
  };
  for (const topK of [1, 10, 1000]) {
    const found = await rank({ galleries, topK }, queries, vectors, pictures(data, ids));
    const without = (names: readonly string[], ...left: string[]) => names.filter((id) => !left.includes(id));
    assert.deepEqual(found, [
      { gallery: sorted(0, ids).slice(0, topK) },
      { gallery: sorted(1, without(odd, 'p3')).slice(0, topK), candidates: sorted(1, ['p9', 'p2', 'p5']) },
      { candidates: sorted(2, ['p1', 'p0']) },
      { gallery: sorted(3, without(ids, 'p7')).slice(0, topK) },
    ]);
  }
});

test('of equal images none is favoured by its place, its name or the query', async () => {
  const same = new Float32Array(20 * dimensions).fill(1);
  const names = ids.slice(0, 20);
  const queries = Array.from({ length: 2000 }, (_, at) => query(`q${at}`, { candidates: names }));
  const vectors = new Float32Array(queries.length * dimensions).fill(1 / Math.sqrt(dimensions));
  const found = await rank({ galleries: new Map(), topK: 1 }, queries, vectors, pictures(same, names));
  const firsts = new Map(names.map((name) => [name, 0]));
  for (const { candidates } of found) firsts.set(candidates![0]!, firsts.get(candidates![0]!)! + 1);
  // Binomial: 100 each, standard deviation 9.7.
  for (const [name, count] of firsts) assert.ok(Math.abs(count - 100) < 45, `${name} first ${count} times`);

  const reversed = queries.map((one) => ({ ...one, candidates: names.toReversed() }));
  const again = await rank({ galleries: new Map(), topK: 1 }, reversed, vectors, pictures(same, names));
  assert.deepEqual(again, found);
  const galleries = new Map([['all', names]]);
  const inGallery = queries.map(({ candidates, ...one }) => ({ ...one, gallery: 'all' }));
  const ranked = await rank({ galleries, topK: 20 }, inGallery, vectors, pictures(same, names));
  assert.deepEqual(
    ranked.map(({ gallery }) => gallery),
    found.map(({ candidates }) => candidates),
  );
});

test('refuses vectors of other dimensions', async () => {
  const given = pictures(noise(3, 0), ids.slice(0, 3));
  await assert.rejects(rank({ galleries: new Map(), topK: 1 }, [], new Float32Array(3), given), {
    code: 'bad-argument',
  });
});
