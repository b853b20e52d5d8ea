/** What every store keeps besides images: which are missing or broken, and how far sources are. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { create, everyStore } from '../../test/stores.ts';
import type { SourceRecord } from './store.ts';

for (const { name, newAddress: uri, skip } of everyStore) {
  describe(`notes of a store in ${name}`, { skip }, () => {
    test('notes missing images, each once, aside of those that it finds', async () => {
      const store = await create(uri());
      const missing = (id: string, since: number) => {
        return {
          id,
          path: `/a/${id}'s`,
          hash: `h${id}`,
          since,
          metadata: { rating: 1.5, owner: null, ok: true },
        };
      };
      assert.deepEqual((await Array.fromAsync(store.missing())).flat(), []);
      assert.deepEqual(await store.findMissing('path', ["/a/x's"]), []);
      await store.removeMissing(['x']);
      await store.addMissing([missing('x', 1), missing('y', 2), missing('z', 3)]);
      await store.addMissing([missing('x', 4)]);
      await store.removeMissing(['y', 'none']);
      assert.deepEqual(await store.findMissing('path', ["/a/x's", "/a/y's"]), [missing('x', 4)]);
      assert.deepEqual(await store.findMissing('id', ['z']), [missing('z', 3)]);
      assert.deepEqual(await store.findMissing('hash', ['hz', 'hy']), [missing('z', 3)]);
      assert.equal((await Array.fromAsync(store.missing())).flat().length, 2);
      const { images, missing: count } = await store.statistics();
      assert.deepEqual([images, count], [0, 2]);
      await store.maintain();
      await store.close();
    });

    test('records how far sources are, each once', async () => {
      const store = await create(uri());
      const record = (source: string, changes: Partial<SourceRecord> = {}): SourceRecord => {
        const counts = { images: 7, broken: 1, began: 1.5, updated: 2.5 };
        return { source, version: '"etag"', state: 'running', ...counts, worker: 'host 1', ...changes };
      };
      const sources = async () => {
        const all = (await Array.fromAsync(store.sources())).flat();
        return all.sort((a, b) => (a.source < b.source ? -1 : 1));
      };
      assert.deepEqual(await sources(), []);
      assert.deepEqual(await store.findSources(['a.tar']), []);
      await store.recordSources([]);
      const failed = record("s3://b/it's \u00e9.tar", { state: 'failed', reason: 'cut "short"' });
      await store.recordSources([record('a.tar'), record('b.tar'), failed]);
      const done = record('a.tar', { state: 'done', version: 'other', images: 9, updated: 4 });
      await store.recordSources([done]);
      await store.recordSources([done]);
      assert.deepEqual(await sources(), [done, record('b.tar'), failed]);
      assert.deepEqual(await store.findSources([failed.source, 'none', 'a']), [failed]);
      await store.recordSources([{ ...record(failed.source), state: 'done' }]);
      assert.deepEqual(await store.findSources([failed.source]), [record(failed.source, { state: 'done' })]);
      await store.maintain();
      assert.equal((await sources()).length, 3);
      await store.removeSources([]);
      await store.removeSources(['a.tar', failed.source, 'none']);
      assert.deepEqual(await sources(), [record('b.tar')]);
      await store.close();
    });

    test('notes broken images, each once', async () => {
      const store = await create(uri());
      const broken = (path: string, reason: string) => ({ path, size: 1, modified: 2.5, reason });
      await store.addBroken([broken('a', 'cut short'), broken("b'", 'empty')]);
      await store.addBroken([broken('a', 'still')]);
      await store.removeBroken(["b'"]);
      assert.deepEqual((await Array.fromAsync(store.broken())).flat(), [broken('a', 'still')]);
      const { images, broken: number } = await store.statistics();
      assert.deepEqual([images, number], [0, 1]);
      await store.close();
    });
  });
}
