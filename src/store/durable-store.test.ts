/** What only a durable vector store can show. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  all,
  create,
  dimensions,
  durableStores,
  info,
  newPath,
  open,
  picture,
  rounded,
  some,
} from '../../test/stores.ts';
import { backendOf } from './backend.ts';
import { MemoryStore } from './memory-store.ts';
import type { VectorStore } from './store.ts';

for (const { name, newAddress, skip } of durableStores) {
  describe(`a durable store in ${name}`, { skip }, () => {
    test('is there again when it is opened, and halves cost little', async () => {
      for (const precision of ['float32', 'float16'] as const) {
        const uri = newAddress();
        const store = await create(uri, { precision });
        await store.add(some(50));
        await store.close();
        const again = await open(uri);
        assert.deepEqual(again.info, { ...info, precision });
        const [found] = await again.find('id', ['p00009']);
        const limit = precision === 'float32' ? 0 : 2 ** -11;
        found!.vector.forEach((value, at) => {
          assert.ok(Math.abs(value - picture(9).vector[at]!) <= limit * Math.max(Math.abs(value), 2 ** -3));
        });
        const [hit] = await again.search({ vector: picture(9).vector, limit: 1 });
        assert.equal(hit!.id, 'p00009');
        assert.ok(Math.abs(hit!.score - 1) < 1e-3);
        await again.close();
      }
    });

    test('keeps halves of the smallest numbers, and of those just below a power of two', async () => {
      const store = await create(newAddress(), { precision: 'float16' });
      const vector = Float32Array.from({ length: dimensions }, (_, at) =>
        at < 4 ? 0.124999 * 2 ** at : (at % 2 ? 1 : -1) * 10 ** (-at / 2 - 4),
      );
      await store.add([picture(1, { vector })]);
      const [found] = await store.find('id', [picture(1).id]);
      for (const [at, value] of found!.vector.entries()) {
        const most = Math.abs(vector[at]!) * 2 ** -11 + 2 ** -25;
        assert.ok(Math.abs(value - vector[at]!) <= most, `${value} of ${vector[at]}`);
      }
      await store.close();
    });

    test('is searched when changes have taken all images out of the approximate index', async () => {
      const store = await create(newPath());
      await store.add(some(10_000));
      await store.maintain();
      // The only fragment gets new vectors, so LanceDB forgets the index.
      await store.replace(some(256, 5_000).map((one) => ({ ...one, vector: picture(0).vector })));
      assert.equal((await store.statistics()).images, 10_000);
      const ids = (await store.search({ vector: picture(0).vector, limit: 257 })).map(({ id }) => id);
      assert.deepEqual(ids, [picture(0).id, ...some(256, 5_000).map(({ id }) => id)]);
      await store.maintain();
      assert.ok((await store.search({ vector: picture(7).vector, limit: 1 }))[0]!.id === picture(7).id);
      await store.close();
    });

    test('changes rows alike with and without the indexes of a large table', async () => {
      const store = await create(newAddress());
      const memory = new MemoryStore(info);
      const both = async (change: (store: VectorStore) => Promise<void>) => {
        await change(store);
        await change(memory);
      };
      await both((one) => one.add(some(11_000)));
      await store.maintain();
      assert.equal((await store.statistics()).approximate?.indexed, 11_000);
      for (let round = 0; round < 3; round += 1) {
        const numbers = Array.from({ length: 40 }, (_, at) => (at * 271 + round * 97) % 11_000);
        const [few, ...others] = [
          numbers.slice(0, 10),
          numbers.slice(10, 20),
          numbers.slice(20, 30),
        ] as const;
        await both((one) =>
          one.annotate(
            new Map([['rating', 'number']]),
            few.map((number) => ({ id: picture(number).id, values: { rating: round } })),
          ),
        );
        await both((one) =>
          one.move(
            others[0]!.map((number) => ({ ...picture(number), path: `/m/${round}/${number}`, folder: '/m' })),
          ),
        );
        await both((one) =>
          one.replace(
            others[1]!.map((number) =>
              picture(number, { hash: `r${round}`, vector: picture(number + 1).vector }),
            ),
          ),
        );
        await both((one) => one.remove(numbers.slice(30).map((number) => picture(number).id)));
        await both((one) => one.add(some(5, 20_000 + round * 5)));
        if (round === 1) await store.maintain();
        for (const number of numbers) {
          const [found] = await store.find('id', [picture(number).id]);
          const [wanted] = await memory.find('id', [picture(number).id]);
          assert.deepEqual(found && { ...rounded(found) }, wanted && { ...rounded(wanted) });
        }
        assert.equal((await store.find('hash', [`r${round}`])).length, 10);
        assert.equal(await store.count(), await memory.count());
      }
      assert.deepEqual((await all(store)).map(rounded), (await all(memory)).map(rounded));
      await store.close();
    });

    test('is replaced by another as a whole, and serves until then', async () => {
      const path = newAddress();
      const { backend } = await backendOf(path);
      const first = await create(path);
      await first.add(some(5));
      await first.recordSources([
        {
          ...{ source: 'a.tar', version: '1', state: 'done', images: 5, broken: 0 },
          ...{ began: 1, updated: 2, worker: 'one' },
        },
      ]);
      await first.close();
      const reader = await open(path);
      const next = { ...info, fingerprint: 'fedcba9876543210' };
      const begun = await backend.replace(path, next);
      await begun.store.add(some(2));
      await begun.store.addMissing([{ id: 'm', path: '/m', hash: 'h', since: 1, metadata: {} }]);
      assert.deepEqual(await Array.fromAsync(begun.store.sources()), []);
      await begun.store.close();
      assert.equal((await open(path)).info.fingerprint, info.fingerprint);
      const resumed = await backend.replace(path, { ...next, created: 'later' });
      assert.equal(await resumed.store.count(), 2);
      await resumed.publish();
      await resumed.store.close();
      const half = await backend.replace(path, info);
      await half.store.add(some(1));
      await half.store.close();
      await (await open(path, 'write')).close(); // which deletes what the rebuild has left
      const again = await backend.replace(path, info);
      assert.equal(await again.store.count(), 0);
      await again.store.close();
      const after = await open(path);
      assert.deepEqual([after.info, await after.count()], [next, 2]);
      assert.equal((await after.statistics()).missing, 1);
      await after.close();
      await reader.close();
    });

    test('has one writer at a time', async () => {
      const path = newAddress();
      const store = await create(path);
      await assert.rejects(
        open(path, 'write'),
        /that no other process (works in|changes), found process \d+/,
      );
      await store.close();
      await (await open(path, 'write')).close();
    });
  });
}
