/** Rankings against a full sort written here, and what happens where images are equally similar. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { normalizeRows, normals } from '../core/index.ts';
import type { BenchmarkQuery } from './benchmark.ts';
import { inverseNorms } from './embed-images.ts';
import { rank } from './ranking.ts';

const dimensions = 8;
const noise = (rows: number, row: number) =>
  normals({ seed: 5, purpose: 'noise', moment: 0, row }, rows * dimensions);

function pictures(data: Float32Array, names: readonly string[]) {
  const rows = new Map(names.map((name, row) => [name, row]));
  return { data, dimensions, scales: inverseNorms(data, dimensions), rows, encoded: 0 };
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

test('many equal images, over several blocks, rank by their hashes alone', async () => {
  const names = Array.from({ length: 10_000 }, (_, at) => `p${at}`);
  // Whole numbers, so that every sum is exact: most images are as similar as hundreds of others.
  const whole = (rows: number, row: number) => noise(rows, row).map((value) => Math.round(value));
  const data = whole(names.length, 2);
  data.fill(0, 0, 50 * dimensions);
  const queries = Array.from({ length: 12 }, (_, at) =>
    query(`q${at}`, {
      gallery: at % 4 === 3 ? 'few' : 'all',
      exclude: names.slice(0, at),
      candidates: names.slice(at, at + 30),
    }),
  );
  const vectors = whole(queries.length, 30_000);
  vectors.fill(0, 0, dimensions); // equally similar to all
  const galleries = new Map([
    ['all', names],
    ['few', names.slice(0, 200)],
  ]);
  const sorted = (at: number, among: readonly string[]) => {
    const own = vectors.subarray(at * dimensions, (at + 1) * dimensions);
    const compared = among.map((name) => {
      const row = Number(name.slice(1));
      const picture = data.subarray(row * dimensions, (row + 1) * dimensions);
      const [product, squares] = [own, picture].map((by) =>
        by.reduce((sum, x, i) => sum + x * picture[i]!, 0),
      );
      const scale = squares === 0 ? 0 : Math.fround(1 / Math.sqrt(squares!));
      return { name, similarity: Math.fround(product! * scale), tie: tieOf(name, queries[at]!.id) };
    });
    return compared.sort((a, b) => b.similarity - a.similarity || a.tie - b.tie).map(({ name }) => name);
  };
  const expected = queries.map(({ gallery, exclude, candidates }, at) => ({
    gallery: sorted(
      at,
      galleries.get(gallery!)!.filter((name) => !exclude!.includes(name)),
    ),
    candidates: sorted(at, candidates!),
  }));
  for (const topK of [1, 50, 300]) {
    assert.deepEqual(
      await rank({ galleries, topK }, queries, vectors, pictures(data, names)),
      expected.map(({ gallery, candidates }) => ({ gallery: gallery.slice(0, topK), candidates })),
    );
  }
});

/** FNV-1a of both ids, joined by xor and mixed by MurmurHash3's finalizer. */
function tieOf(image: string, asked: string): number {
  let bits = fnv1a(image) ^ fnv1a(asked);
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}

function fnv1a(text: string): number {
  return [...text].reduce((hash, unit) => Math.imul(hash ^ unit.charCodeAt(0), 0x01000193), 0x811c9dc5);
}

test('refuses vectors of other dimensions', async () => {
  const given = pictures(noise(3, 0), ids.slice(0, 3));
  await assert.rejects(rank({ galleries: new Map(), topK: 1 }, [], new Float32Array(3), given), {
    code: 'bad-argument',
  });
});
