/** One suite for every vector store. */

import assert from 'node:assert/strict';
import { posix } from 'node:path';
import { describe, test } from 'node:test';
import { all, create, everyStore, picture, rounded, some, withoutVector } from '../../test/stores.ts';
import { parseFilter } from './filter/filter.ts';

for (const { name, newAddress: uri, skip } of everyStore) {
  describe(`a store in ${name}`, { skip }, () => {
    test('holds what is added, found by id, path and hash', async () => {
      const store = await create(uri());
      const pictures = some(30);
      await store.add(pictures.slice(0, 20));
      await store.add(pictures.slice(20));
      await store.add([]);
      assert.deepEqual((await all(store)).map(rounded), pictures.map(withoutVector).map(rounded));
      assert.equal(await store.count(), 30);
      for (const column of ['id', 'path', 'hash'] as const) {
        const found = await store.find(column, [pictures[7]![column], 'none such']);
        assert.equal(found.length, 1);
        assert.equal(found[0]!.id, pictures[7]!.id);
        assert.deepEqual(found[0]!.vector, pictures[7]!.vector);
      }
      assert.deepEqual(await store.find('id', []), []);
      await store.close();
    });

    test('adds by id: what is added again is overwritten, and keeps metadata that is not given', async () => {
      const store = await create(uri());
      await store.annotate(new Map([['rating', 'number']]), []);
      await store.add(some(5));
      await store.annotate(new Map([['rating', 'number']]), [{ id: picture(1).id, values: { rating: 4 } }]);
      await store.add(some(5));
      const changed = { hash: 'other', vector: picture(9).vector, metadata: { rating: 2 } };
      await store.add([picture(2), picture(7), picture(1, { path: '/new', folder: '/' })]);
      await store.add([picture(2, { metadata: { rating: 1 } }), picture(2, changed)]);
      assert.equal(await store.count(), 6);
      const found = await store.find('id', [picture(1).id, picture(2).id, picture(7).id]);
      const [one, two, seven] = found.toSorted((a, b) => (a.id < b.id ? -1 : 1));
      assert.deepEqual([one!.path, one!.metadata], ['/new', { rating: 4 }]);
      assert.deepEqual([two!.hash, two!.metadata], ['other', { rating: 2 }]);
      assert.deepEqual(two!.vector, picture(9).vector);
      assert.deepEqual(seven!.metadata, { rating: null });
      assert.equal((await store.search({ vector: picture(3).vector, limit: 9 })).length, 6);
      await store.close();
    });

    test('completes what is repeated, however often', async () => {
      const store = await create(uri());
      const changes = [
        () => store.add(some(6)),
        () => store.replace([picture(1, { hash: 'other' })]),
        () => store.move([{ ...picture(2), path: '/moved', folder: '/' }]),
        () => store.annotate(new Map([['rating', 'number']]), [{ id: picture(3).id, values: { rating: 1 } }]),
        () => store.remove([picture(4).id]),
        () => store.addMissing([{ ...picture(4), since: 1, metadata: {} }]),
        () => store.addBroken([{ path: '/broken', size: 1, modified: 2, reason: 'empty' }]),
      ];
      const contents = async () => [
        (await all(store)).map(rounded),
        (await store.find('id', [picture(3).id]))[0]!.metadata,
        (await Array.fromAsync(store.missing())).flat().length,
        (await Array.fromAsync(store.broken())).flat(),
      ];
      for (const change of changes) await change();
      const once = await contents();
      for (const change of changes.slice(1)) {
        await change();
        await change();
      }
      assert.deepEqual(await contents(), once);
      assert.equal(await store.count(), 5);
      await store.close();
    });

    test('looks thousands up by id and path, and finds so many as are enough', async () => {
      const store = await create(uri());
      await store.add(some(2500).map((one) => ({ ...one, hash: 'same' })));
      await store.add([picture(3000, { path: '/o\u0308.png', folder: '/' })]);
      for (const column of ['id', 'path'] as const) {
        const values = some(3000).map((one) => one[column]);
        const found = await store.lookUp(column, [...values, 'none such']);
        assert.equal(found.length, 2500);
        const last = found.find(({ id }) => id === picture(2499).id)!;
        assert.deepEqual(rounded(last), rounded({ ...withoutVector(picture(2499)), hash: 'same' }));
      }
      assert.equal((await store.lookUp('path', ['/\u00f6.png']))[0]!.id, picture(3000).id);
      assert.deepEqual(await store.lookUp('id', []), []);
      assert.equal((await store.find('hash', ['same'], 2)).length, 2);
      const ids = some(1500).map(({ id }) => id);
      assert.equal((await store.find('id', ids, 1200)).length, 1200);
      await store.close();
    });

    test('has another version after every change to the images', async () => {
      const store = await create(uri());
      const versions = [await store.version()];
      const changes = [
        () => store.add([picture(0), picture(1)]),
        () => store.replace([picture(0, { hash: 'other' })]),
        () => store.move([{ ...picture(0), path: '/a.png', folder: '/' }]),
        () => store.annotate(new Map([['rating', 'number']]), [{ id: picture(0).id, values: { rating: 4 } }]),
        () => store.remove([picture(1).id]),
      ];
      for (const change of changes) {
        await change();
        versions.push(await store.version());
        assert.equal(await store.version(), versions.at(-1));
      }
      assert.equal(new Set(versions).size, versions.length);
      await store.close();
    });

    test('compares names by canonical equivalence, and keeps them as they are', async () => {
      const store = await create(uri());
      // The third differs from the first in nothing but its form; the last is half in each.
      const paths = [
        '/\u00c9te\u0301/e\u0301.png',
        '/e/e.png',
        '/\u00c9t\u00e9/\u00e9.png',
        '/E\u0301t\u00e9/o\u0308/e\u0301.jpg',
      ];
      await store.add(paths.map((path, at) => picture(at, { path, folder: posix.dirname(path) })));
      assert.deepEqual(
        (await all(store)).map(({ path }) => path),
        paths,
      );
      const found = async (where: string) => {
        const filter = parseFilter(where, await store.columns());
        const hits = await store.search({ vector: picture(0).vector, limit: 9, filter });
        assert.equal(await store.count(filter), hits.length, where);
        return hits.map(({ path }) => paths.indexOf(path)).sort();
      };
      for (const form of ['NFC', 'NFD'] as const) {
        const find = (where: string) => found(where.normalize(form));
        assert.deepEqual(await find("path = '/\u00c9t\u00e9/\u00e9.png'"), [0, 2]);
        assert.deepEqual(await find("path in ('/\u00c9t\u00e9/\u00e9.png', '/e/e.png')"), [0, 1, 2]);
        assert.deepEqual(await find("folder like '%/\u00c9t\u00e9'"), [0, 2]);
        assert.deepEqual(await find("folder like '/\u00c9t\u00e9%' and not path like '%/_.png'"), [3]);
        assert.deepEqual(await find("path ilike '%\u00c9.PNG'"), [0, 2]);
        assert.deepEqual(await find("path != '/\u00c9t\u00e9/\u00e9.png'"), [1, 3]);
        const [half] = await store.find('path', ['/\u00c9t\u00e9/\u00f6/\u00e9.jpg'.normalize(form)]);
        assert.equal(half!.path, paths[3]);
      }
      await store.move([{ ...(await all(store))[1]!, path: '/o\u0308.png', folder: '/' }]);
      await store.replace([picture(0, { path: '/a.png', folder: '/' })]);
      assert.deepEqual((await store.find('path', ['/\u00f6.png', '/a.png'])).map(({ id }) => id).sort(), [
        picture(0).id,
        picture(1).id,
      ]);
      await store.annotate(new Map([['gr\u00f6\u00dfe', 'string']]), [
        { id: picture(3).id, values: { 'gr\u00f6\u00dfe': 'Jos\u00e9' } },
      ]);
      assert.deepEqual(await found("gro\u0308\u00dfe = 'Jose\u0301'"), [3]);
      assert.deepEqual(
        [...(await store.columns()).keys()],
        ['path', 'folder', 'size', 'modified', 'gr\u00f6\u00dfe'],
      );
      await store.close();
    });

    test('counts the values of a column, texts by what they begin with', async () => {
      const store = await create(uri());
      assert.deepEqual(await store.values('folder'), { values: [], sampled: false });
      await store.add(some(7));
      const folder = (at: number, count: number) => ({ value: `/photos/${at}`, count });
      assert.deepEqual(await store.values('folder'), {
        values: [folder(0, 3), folder(1, 2), folder(2, 2)],
        ...{ least: '/photos/0', greatest: '/photos/2', sampled: false },
      });
      assert.deepEqual((await store.values('folder', { limit: 1 })).values, [folder(0, 3)]);
      const columns = new Map([
        ['place', 'string'],
        ['rating', 'number'],
        ['seen', 'boolean'],
      ] as const);
      const places = ['Évian', 'évora', 'Evora', '50%', '500', '_x', null];
      await store.annotate(
        columns,
        places.map((place, at) => {
          return { id: picture(at).id, values: { place, rating: at === 0 ? null : at - 3.5, seen: at > 1 } };
        }),
      );
      const begun = async (column: string, prefix: string) =>
        (await store.values(column, { prefix })).values.map(({ value }) => value);
      for (const form of ['NFC', 'NFD'] as const) {
        assert.deepEqual(await begun('place', 'ÉV'.normalize(form)), ['Évian', 'évora']);
      }
      assert.deepEqual(await begun('place', '50%'), ['50%']);
      assert.deepEqual(await begun('place', '_'), ['_x']);
      assert.deepEqual(await begun('place', "'"), []);
      assert.deepEqual(await begun('rating', '-0.'), [-0.5]);
      const { values, least, greatest } = await store.values('rating', { limit: 2 });
      assert.deepEqual([values.map(({ value }) => value), least, greatest], [[-2.5, -1.5], -2.5, 2.5]);
      assert.deepEqual((await store.values('seen')).values, [
        { value: true, count: 5 },
        { value: false, count: 2 },
      ]);
      await store.close();
    });

    test('counts a name once, whatever its form', async () => {
      const store = await create(uri());
      const folders = ['/\u00e9', '/e\u0301', '/e'];
      await store.add(folders.map((folder, at) => picture(at, { folder, path: `${folder}/${at}` })));
      assert.deepEqual((await store.values('folder', { prefix: '/\u00c9' })).values, [
        { value: '/\u00e9', count: 2 },
      ]);
      await store.close();
    });

    test('ranks by cosine similarity, exactly', async () => {
      const store = await create(uri());
      const pictures = some(40);
      await store.add(pictures);
      const { vector } = picture(1000);
      const hits = await store.search({ vector, limit: 10 });
      const scores = pictures
        .map(({ id, vector: other }) => ({
          id,
          score: other.reduce((sum, v, at) => sum + v * vector[at]!, 0),
        }))
        .sort((a, b) => b.score - a.score)
        .slice(0, 10);
      assert.deepEqual(
        hits.map(({ id }) => id),
        scores.map(({ id }) => id),
      );
      hits.forEach(({ score }, at) => {
        assert.ok(Math.abs(score - scores[at]!.score) < 1e-6);
      });
      assert.equal((await store.search({ vector, limit: 100 })).length, 40);
      await store.close();
    });

    test('filters before it ranks', async () => {
      const store = await create(uri());
      await store.add(some(40));
      const filter = parseFilter(`folder = '/photos/1' and size < 120`, await store.columns());
      assert.equal(await store.count(filter), 7);
      const hits = await store.search({ vector: picture(1000).vector, limit: 7, filter });
      assert.equal(hits.length, 7);
      assert.ok(hits.every(({ folder, id }) => folder === '/photos/1' && id < 'p00020'));
      await store.close();
    });

    test('replaces, moves, annotates and removes; the rest of a row stays', async () => {
      const store = await create(uri());
      await store.add(some(6));
      await store.annotate(
        new Map([
          ['rating', 'number'],
          ['owner', 'string'],
        ]),
        [
          { id: 'p00001', values: { rating: 4, owner: 'Ada "L"' } },
          { id: 'p00002', values: { rating: 2, owner: null } },
          { id: 'unknown', values: { rating: 1, owner: null } },
        ],
      );
      await store.annotate(new Map([['seen', 'boolean']]), [{ id: 'p00002', values: { seen: true } }]);
      await store.replace([picture(1, { vector: picture(77).vector, hash: 'other', norm: 3 })]);
      await store.move([{ id: 'p00002', path: '/new/place.jpg', folder: '/new', size: 5, modified: 6 }]);
      await store.remove(['p00003', 'unknown']);
      assert.equal(await store.count(), 5);

      const hits = await store.search({ vector: picture(77).vector, limit: 5 });
      const [first] = hits;
      assert.deepEqual([first!.id, first!.hash], ['p00001', 'other']);
      assert.deepEqual(first!.metadata, { rating: 4, owner: 'Ada "L"', seen: null });
      const hit = hits.find(({ id }) => id === 'p00002')!;
      assert.deepEqual([hit.path, hit.folder, hit.hash], ['/new/place.jpg', '/new', 'h2']);
      assert.deepEqual(hit.metadata, { rating: 2, owner: null, seen: true });
      const [moved] = await store.find('id', ['p00002']);
      assert.deepEqual([moved!.path, moved!.size, moved!.metadata], ['/new/place.jpg', 5, hit.metadata]);
      assert.deepEqual((await store.find('id', ['p00002']))[0]!.vector, picture(2).vector);

      const columns = await store.columns();
      assert.equal(columns.get('rating'), 'number');
      const filter = parseFilter('rating >= 2 and seen', columns);
      assert.deepEqual(
        (await store.search({ vector: picture(0).vector, limit: 9, filter })).map(({ id }) => id),
        ['p00002'],
      );
      await store.add([picture(50)]);
      assert.equal(await store.count(parseFilter('rating is null', columns)), 4);
      await assert.rejects(
        store.annotate(new Map([['rating', 'string']]), []),
        /metadata column "rating": expected a number, as in the index, found a string/,
      );
      await store.close();
    });

    test('takes metadata with images, and times that files may lack', async () => {
      const store = await create(uri());
      await store.annotate(
        new Map([
          ['rating', 'number'],
          ['owner', 'string'],
        ]),
        [],
      );
      await store.add([
        picture(1, { metadata: { rating: 1, owner: null }, statusChanged: 5.5, memberOffset: 512 }),
        picture(2, { metadata: { owner: 'Bob', unknown: 7 } }),
        picture(3),
      ]);
      await store.replace([picture(1, { metadata: { rating: 2 }, statusChanged: 6.5, memberOffset: 1024 })]);
      await store.move([
        {
          ...{ ...withoutVector(picture(2)), metadata: { rating: 9, owner: 'Ada' } },
          ...{ statusChanged: 7.5, memberOffset: 2 ** 40 },
        },
      ]);
      const found = await store.find('id', ['p00001', 'p00002', 'p00003']);
      assert.deepEqual(
        found
          .toSorted((a, b) => (a.id < b.id ? -1 : 1))
          .map(({ metadata, statusChanged, memberOffset }) => [metadata, statusChanged, memberOffset]),
        [
          [{ rating: 2, owner: null }, 6.5, 1024],
          [{ rating: 9, owner: 'Ada' }, 7.5, 2 ** 40],
          [{ rating: null, owner: null }, undefined, undefined],
        ],
      );
      const [, second, third] = await all(store);
      assert.equal(second?.memberOffset, 2 ** 40);
      assert.ok(!('statusChanged' in third!) && !('memberOffset' in third!));
      await store.close();
    });
  });
}
