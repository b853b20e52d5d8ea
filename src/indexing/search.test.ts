/** Pages of hits and duplicates, against all images compared by hand. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Query } from '../composition/index.ts';
import { normalizeRows, normals } from '../core/index.ts';
import { backendOf, type StoredImage, type StoreInfo, type VectorStore } from '../store/index.ts';
import { searchStore } from './search.ts';

const dimensions = 8;
const info: StoreInfo = {
  ...{ version: 1, model: 'm', fingerprint: 'f', dimensions, precision: 'float32', targetPad: null },
  created: '2026-01-01T00:00:00Z',
};

function vectorOf(row: number): Float32Array {
  const vector = normals({ seed: 7, purpose: 'initialization', moment: 0, row }, dimensions);
  normalizeRows(vector, dimensions);
  return vector;
}

/** Each of 30 contents so many times as its number modulo 5 says, and once slightly changed. */
const rows = Array.from({ length: 30 }, (_, content): StoredImage[] => {
  const facts = { folder: 'p', size: 1, modified: 0, norm: 1 };
  const copies = Array.from({ length: 1 + (content % 5) }, (_, copy) => ({
    ...{ ...facts, hash: `h${content}`, vector: vectorOf(content) },
    ...{ id: `${content}-${copy}`, path: `p/${content}-${copy}.png` },
  }));
  const near = vectorOf(content).map((value, at) => value + (at === 0 ? 0.02 : 0));
  normalizeRows(near, dimensions);
  const changed = { hash: `n${content}`, vector: near, id: `${content}-near`, path: `p/${content}-near.png` };
  return [...copies, { ...facts, ...changed }];
}).flat();

const query: Query = {
  ...{ vector: vectorOf(99), method: 'text', fingerprint: 'f' },
  timings: { images: 0, phi: 0, text: 0 },
};

async function filled(): Promise<VectorStore> {
  const { backend, location } = await backendOf('memory:');
  const store = await backend.create(location, info);
  await store.add(rows);
  return store;
}
const contentOf = (id: string) => id.replace(/-.*/, '');

test('the same contents count once, on every page, with all their copies', async () => {
  const store = await filled();
  const all = await searchStore(store, query, { top: 100, unique: true });
  assert.equal(all.length, 60);
  assert.equal(all.flatMap(({ duplicates = [] }) => duplicates).length, rows.length - 60);
  for (const { hash, id, duplicates = [] } of all) {
    assert.deepEqual(
      [id, ...duplicates.map((hit) => hit.id)].sort(),
      rows.filter((row) => row.hash === hash).map((row) => row.id),
    );
  }
  const pages = await Promise.all(
    Array.from({ length: 9 }, (_, at) => searchStore(store, query, { top: 7, page: at + 1, unique: true })),
  );
  assert.deepEqual(pages.flat(), all);
});

test('what is nearer than a threshold counts once, as its best', async () => {
  const store = await filled();
  const all = await searchStore(store, query, { top: 100, unique: 0.999 });
  assert.equal(new Set(all.map(({ id }) => contentOf(id))).size, 30);
  assert.equal(all.length, 30);
  for (const { id, score, duplicates = [] } of all) {
    assert.ok(duplicates.every((hit) => contentOf(hit.id) === contentOf(id) && hit.score <= score));
    assert.equal(duplicates.length, 1 + (Number(contentOf(id)) % 5));
  }
  const pages = await Promise.all(
    [1, 2, 3, 4].map((page) => searchStore(store, query, { top: 9, page, unique: 0.999 })),
  );
  assert.deepEqual(
    pages.flat().map(({ id }) => id),
    all.map(({ id }) => id),
  );
  assert.equal((await searchStore(store, query, { top: 100, unique: 1 })).length, 60);
});

test('what is left out is no duplicate either', async () => {
  const store = await filled();
  const [best] = await searchStore(store, query, { unique: true });
  const options = { top: 100, unique: true, exclude: [best!.hash], minScore: 0 };
  const left = await searchStore(store, query, options);
  const ids = left.flatMap(({ id, duplicates = [] }) => [id, ...duplicates.map((hit) => hit.id)]);
  const expected = rows.filter(
    ({ hash, vector }) =>
      hash !== best!.hash && vector.reduce((sum, value, at) => sum + value * query.vector[at]!, 0) >= 0,
  );
  assert.deepEqual(ids.sort(), expected.map(({ id }) => id).sort());
  await assert.rejects(
    searchStore(store, query, { unique: 1.5 }),
    /unique: expected a similarity from 0 to 1/,
  );
  const plain = await searchStore(store, query, { top: 3 });
  assert.ok(plain.every((hit) => !('duplicates' in hit)));
});
