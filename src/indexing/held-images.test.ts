/** Images in memory answer as their store does, and follow it. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { create, newPath, open, picture, some } from '../../test/stores.ts';
import type { Hit, VectorStore } from '../store/index.ts';
import { HeldImages, type StoreReader } from './held-images.ts';

const count = 300;

async function filled(uri: string): Promise<VectorStore> {
  const store = await create(uri);
  await store.add(some(count));
  await store.annotate(new Map([['rating', 'number']]), [{ id: picture(3).id, values: { rating: 4 } }]);
  return store;
}

/** The reader after its images were read. */
async function inMemory(held: HeldImages, store: VectorStore): Promise<StoreReader> {
  for (let waited = 0; waited < 10_000; waited += 10) {
    const reader = await held.readerOf(store);
    if (reader !== store) return reader;
    await sleep(10);
  }
  throw new Error('images were not read');
}

/** Scores may differ by rounding. */
function assertSame(hits: readonly Hit[], expected: readonly Hit[]): void {
  const withoutScore = ({ score: _, ...hit }: Hit) => hit;
  assert.deepEqual(hits.map(withoutScore), expected.map(withoutScore));
  for (const [at, { score }] of hits.entries()) assert.ok(Math.abs(score - expected[at]!.score) < 1e-5);
}

for (const [name, uri] of [
  ['memory', () => 'memory:'],
  ['LanceDB', newPath],
] as const) {
  test(`searches and lookups are those of the store in ${name}`, async () => {
    const store = await filled(uri());
    const held = new HeldImages();
    assert.equal(await held.readerOf(store), store); // nobody waits for it
    const reader = await inMemory(held, store);
    const queries = some(70, 1000).map(({ vector }, number) => ({
      vector,
      limit: [1, 7, 50, 400][number % 4]!,
    }));
    const expected = await Promise.all(queries.map((query) => store.search(query)));
    const together = await Promise.all(queries.map((query) => reader.search(query)));
    for (const [number, hits] of together.entries()) assertSame(hits, expected[number]!);
    assertSame(await reader.search(queries[1]!), expected[1]!); // alone
    for (const [column, value] of [
      ['id', picture(3).id],
      ['hash', picture(9).hash],
      ['path', picture(9).path],
    ] as const) {
      assert.deepEqual(await reader.find(column, [value, 'none']), await store.find(column, [value]));
    }
    await held.close();
    assert.equal((await reader.search(queries[0]!)).length, 1); // by whoever still has it
    await store.close();
  });
}

test('equally near images come in the order of their ids', async () => {
  const store = await create('memory:');
  const { vector } = picture(0);
  await store.add(some(40).map((one) => ({ ...one, vector })));
  const held = new HeldImages();
  const hits = await (await inMemory(held, store)).search({ vector, limit: 9 });
  assert.deepEqual(
    hits.map(({ id }) => id),
    some(9).map(({ id }) => id),
  );
  await held.close();
});

test('a receiver may change a vector', async () => {
  const store = await filled('memory:');
  const held = new HeldImages();
  const reader = await inMemory(held, store);
  const ids = [picture(5).id];
  (await reader.find('id', ids))[0]!.vector.fill(0);
  assert.deepEqual((await reader.find('id', ids))[0]!.vector, picture(5).vector);
  await held.close();
});

test('a change sends readers to the store, until it has been calm', async () => {
  const uri = newPath();
  const store = await filled(uri);
  const patient = new HeldImages();
  const quick = new HeldImages(0);
  for (const held of [patient, quick]) await inMemory(held, store);
  await store.remove([picture(5).id]);
  assert.equal(await patient.readerOf(store), store);
  const reader = await inMemory(quick, store);
  assert.deepEqual(await reader.find('id', [picture(5).id]), []);
  assert.equal(await patient.readerOf(store), store);
  await store.close();
  const other = await open(uri);
  assert.equal(await quick.readerOf(other), other);
  await Promise.all([patient.close(), quick.close()]);
  await other.close();
});
