/** One suite for every vector store, and what only a durable one can show. */

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { normalizeRows, normals } from '../core/index.ts';
import { engineOf } from './engine.ts';
import { parseFilter } from './filter.ts';
import { MemoryStore } from './memory-store.ts';
import type { EmbeddedPicture, Picture, StoreInfo, VectorStore } from './store.ts';

const dimensions = 16;
const info: StoreInfo = {
  version: 1,
  model: 'tiny',
  fingerprint: '0123456789abcdef',
  dimensions,
  precision: 'float32',
  targetPad: null,
  created: '2026-01-01T00:00:00.000Z',
};

let folder: string;
let count = 0;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lincir-store-'));
});
after(() => rm(folder, { recursive: true }));

function newPath(): string {
  count += 1;
  return join(folder, `index-${count}.lance`);
}
async function create(uri: string, changes: Partial<StoreInfo> = {}): Promise<VectorStore> {
  const { engine, location } = await engineOf(uri);
  return await engine.create(location, { ...info, ...changes });
}
async function open(uri: string, access: 'read' | 'write' = 'read'): Promise<VectorStore> {
  const { engine, location } = await engineOf(uri);
  return await engine.open(location, access);
}

function picture(number: number, changes: Partial<EmbeddedPicture> = {}): EmbeddedPicture {
  const vector = normals({ seed: 1, purpose: 'noise', moment: number, row: 0 }, dimensions);
  normalizeRows(vector, dimensions);
  const name = `p${String(number).padStart(5, '0')}`;
  return {
    id: name,
    path: `/photos/${number % 3}/${name} "it's" 🦊.jpg`,
    folder: `/photos/${number % 3}`,
    size: 100 + number,
    modified: 1_700_000_000_000.25 + number,
    hash: `h${number}`,
    norm: number % 5 === 0 ? null : 10 + number / 7,
    vector,
    ...changes,
  };
}
const some = (length: number, from = 0) => Array.from({ length }, (_, at) => picture(from + at));

async function all(store: VectorStore): Promise<Picture[]> {
  return (await Array.fromAsync(store.pictures())).flat().sort((a, b) => (a.id < b.id ? -1 : 1));
}
const withoutVector = ({ vector: _, ...rest }: EmbeddedPicture): Picture => rest;
const rounded = (value: Picture): Picture => ({ ...value, norm: value.norm && Math.fround(value.norm) });

for (const [name, uri] of [
  ['memory', () => 'memory:'],
  ['LanceDB', newPath],
] as const) {
  describe(`a store in ${name}`, () => {
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

    test('takes metadata with pictures, and times that files may lack', async () => {
      const store = await create(uri());
      await store.annotate(
        new Map([
          ['rating', 'number'],
          ['owner', 'string'],
        ]),
        [],
      );
      await store.add([
        picture(1, { metadata: { rating: 1, owner: null }, statusChanged: 5.5 }),
        picture(2, { metadata: { owner: 'Bob', unknown: 7 } }),
        picture(3),
      ]);
      await store.replace([picture(1, { metadata: { rating: 2 }, statusChanged: 6.5 })]);
      await store.move([
        { ...withoutVector(picture(2)), statusChanged: 7.5, metadata: { rating: 9, owner: 'Ada' } },
      ]);
      const found = await store.find('id', ['p00001', 'p00002', 'p00003']);
      assert.deepEqual(
        found
          .toSorted((a, b) => (a.id < b.id ? -1 : 1))
          .map(({ metadata, statusChanged }) => [metadata, statusChanged]),
        [
          [{ rating: 2, owner: null }, 6.5],
          [{ rating: 9, owner: 'Ada' }, 7.5],
          [{ rating: null, owner: null }, undefined],
        ],
      );
      assert.ok(!('statusChanged' in (await all(store))[2]!));
      await store.close();
    });

    test('notes missing pictures, each once, aside of those that it finds', async () => {
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
      assert.equal((await Array.fromAsync(store.missing())).flat().length, 2);
      const { pictures, missing: count } = await store.statistics();
      assert.deepEqual([pictures, count], [0, 2]);
      await store.maintain();
      await store.close();
    });

    test('notes broken pictures, each once', async () => {
      const store = await create(uri());
      const broken = (path: string, reason: string) => ({ path, size: 1, modified: 2.5, reason });
      await store.addBroken([broken('a', 'cut short'), broken("b'", 'empty')]);
      await store.addBroken([broken('a', 'still')]);
      await store.removeBroken(["b'"]);
      assert.deepEqual((await Array.fromAsync(store.broken())).flat(), [broken('a', 'still')]);
      const { pictures, broken: number } = await store.statistics();
      assert.deepEqual([pictures, number], [0, 1]);
      await store.close();
    });
  });
}

describe('a durable store', () => {
  test('is there again when it is opened, and halves cost little', async () => {
    for (const precision of ['float32', 'float16'] as const) {
      const path = newPath();
      const store = await create(path, { precision });
      await store.add(some(50));
      await store.close();
      const again = await open(`lance:${path}`);
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

  test('finds nearly all by the approximate index, more pictures and filters included', async () => {
    const path = newPath();
    const store = await create(path);
    const exact = new MemoryStore(info);
    const add = async (pictures: readonly EmbeddedPicture[]) => {
      await store.add(pictures);
      await exact.add(pictures);
    };
    const recall = async (where?: string) => {
      const filter = where === undefined ? undefined : parseFilter(where, await store.columns());
      let found = 0;
      let wanted = 0;
      for (let query = 0; query < 10; query += 1) {
        const { vector } = picture(1_000_000 + query);
        const ids = new Set((await store.search({ vector, limit: 20, filter })).map(({ id }) => id));
        const truth = await exact.search({ vector, limit: 20, filter });
        wanted += truth.length;
        found += truth.filter(({ id }) => ids.has(id)).length;
        assert.equal(ids.size, truth.length, 'as many hits as there are');
      }
      return found / wanted;
    };
    await add(some(9_000));
    await store.maintain();
    assert.equal((await store.statistics()).approximate, undefined);
    await add(some(1_000, 9_000));
    await store.maintain();
    assert.deepEqual((await store.statistics()).approximate, { indexed: 10_000, others: 0 });
    await add(some(500, 10_000));
    assert.deepEqual((await store.statistics()).approximate, { indexed: 10_000, others: 500 });
    assert.ok((await recall()) >= 0.98);
    await store.maintain();
    assert.deepEqual((await store.statistics()).approximate, { indexed: 10_000, others: 500 });
    // Grown part by part, until it is made anew.
    for (let from = 10_500; from < 32_500; from += 2_000) {
      await add(some(2_000, from));
      await store.maintain();
    }
    assert.deepEqual((await store.statistics()).approximate, { indexed: 32_500, others: 0 });
    assert.ok((await recall()) >= 0.98);
    assert.ok((await recall('size < 5350')) >= 0.98);
    assert.ok((await recall('size < 120')) >= 0.98);
    await store.close();
  });

  test('changes rows alike with and without the indexes of a large table', async () => {
    const store = await create(newPath());
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
      const [few, ...others] = [numbers.slice(0, 10), numbers.slice(10, 20), numbers.slice(20, 30)] as const;
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
    const path = newPath();
    const { engine } = await engineOf(path);
    const first = await create(path);
    await first.add(some(5));
    await first.close();
    const { connect } = await import('@lancedb/lancedb');
    const database = await connect(path);
    await database.createTable('mine', [{ note: 'of the user' }]);
    const reader = await open(path);
    const next = { ...info, fingerprint: 'fedcba9876543210' };
    const begun = await engine.replace(path, next);
    await begun.store.add(some(2));
    await begun.store.addMissing([{ id: 'm', path: '/m', hash: 'h', since: 1, metadata: {} }]);
    await begun.store.close();
    assert.equal((await open(path)).info.fingerprint, info.fingerprint);
    const resumed = await engine.replace(path, { ...next, created: 'later' });
    assert.equal(await resumed.store.count(), 2);
    await resumed.publish();
    await resumed.store.close();
    const after = await open(path);
    assert.deepEqual([after.info, await after.count()], [next, 2]);
    assert.equal((await after.statistics()).missing, 1);
    assert.deepEqual(await database.tableNames(), ['broken-2', 'lincir', 'mine', 'missing-2', 'pictures-2']);
    database.close();
    await after.close();
    await reader.close();
  });

  test('compares the names of an older version, which kept nothing to compare them by', async () => {
    const path = newPath();
    const store = await create(path);
    const paths = ['/e\u0301/o\u0308.png', 'o\u0308.png', '/o\u0308.png', '/a/b.png'];
    await store.add(paths.map((name, at) => picture(at, { path: name, folder: posix.dirname(name) })));
    await store.close();
    const { connect } = await import('@lancedb/lancedb');
    const table = await (await connect(path)).openTable('pictures-1');
    const found = async (access: 'read' | 'write', where: string) => {
      const opened = await open(path, access);
      const count = await opened.count(parseFilter(where, await opened.columns()));
      await opened.close();
      return count;
    };
    // Cut short, only the first column may be there, and filled in part.
    for (const columns of [['path_nfc', 'folder_nfc'], ['folder_nfc']]) {
      await table.checkoutLatest();
      await table.dropColumns(columns);
      assert.equal(await found('read', "path = '/e\u0301/o\u0308.png'"), 1);
      assert.equal(await found('write', "folder = '/\u00e9' and path = '/\u00e9/\u00f6.png'"), 1);
      assert.equal(await found('read', "folder in ('/', '.') and path like '%\u00f6.png'"), 2);
      assert.equal(await found('read', "folder = '/a'"), 1);
    }
    table.close();
  });

  test('is opened by a path with a colon, relative ones and drives of Windows included', async () => {
    const place = newPath();
    await mkdir(place);
    const before = process.cwd();
    process.chdir(place);
    try {
      for (const uri of ['2024:photos', 'lance:c:d', `${place}/a:b`]) {
        await (await create(uri)).close();
        await (await open(uri, 'read')).close();
      }
    } finally {
      process.chdir(before);
    }
    assert.deepEqual((await readdir(place)).sort(), ['2024:photos', 'a:b', 'c:d']);
    for (const uri of ['photos:2024', 'c:\\photos', 'C:photos']) {
      assert.equal((await engineOf(uri)).location, uri);
    }
  });

  test('is made where a creation was cut short', async () => {
    const path = newPath();
    for (const table of ['pictures-1', 'broken-1', 'missing-1', 'lincir'])
      await mkdir(join(path, `${table}.lance/data`), { recursive: true });
    await assert.rejects(open(path, 'write'), { code: 'not-found' });
    const store = await create(path);
    await store.add(some(2));
    await store.addMissing([{ id: 'gone', path: '/gone', hash: 'h', since: 1, metadata: {} }]);
    assert.equal(await store.count(), 2);
    await store.close();
  });

  test('has files that the umask lets others read', { skip: process.platform === 'win32' }, async () => {
    const before = process.umask(0o027);
    try {
      const path = newPath();
      const store = await create(path);
      await store.add(some(3));
      await store.annotate(new Map([['rating', 'number']]), [{ id: picture(0).id, values: { rating: 1 } }]);
      const modes = async () => {
        const entries = await readdir(path, { recursive: true, withFileTypes: true });
        const files = entries.filter((entry) => entry.isFile() && !entry.parentPath.includes('lincir.lock'));
        const found = await Promise.all(
          files.map(async ({ parentPath, name }) => (await stat(join(parentPath, name))).mode),
        );
        return [...new Set(found.map((mode) => (mode & 0o777).toString(8)))];
      };
      assert.deepEqual(await modes(), ['640']); // while it is open, too
      await store.maintain();
      await store.close();
      assert.deepEqual(await modes(), ['640']);
    } finally {
      process.umask(before);
    }
  });

  test('has one writer at a time', async () => {
    const path = newPath();
    const store = await create(path);
    await assert.rejects(open(path, 'write'), /no other process is at work in, found process \d+/);
    await store.close();
    await (await open(path, 'write')).close();
  });

  test('refuses what is no index, one of a newer version, and schemes that it does not know', async () => {
    await assert.rejects(open(newPath()), /expected an index, found none; check the path/);
    const other = newPath();
    await mkdir(other);
    await assert.rejects(open(other), /expected an index, found none/);
    await writeFile(join(other, 'notes.txt'), 'mine');
    await assert.rejects(open(other), /expected an index, found none/);
    await assert.rejects(open(other, 'write'), /expected an index, found none/);
    await assert.rejects(
      create(other),
      /expected an index, or an empty or new folder .* found a folder with "notes\.txt"/,
    );
    assert.deepEqual(await readdir(other), ['notes.txt']);
    await assert.rejects(open(join(other, 'notes.txt')), /a file where a folder should be/);
    await assert.rejects(engineOf('ftp://host/index'), /expected a path, .* found the scheme ftp:/);
    for (const uri of ['http:x', 'HTTPS://x', 's3:bucket', 'memory:x', 'lance:ftp://x']) {
      await assert.rejects(engineOf(uri), /expected a path, .* found the scheme /, uri);
    }
    await assert.rejects(engineOf(''), /found nothing/);

    const path = newPath();
    await (await create(path)).close();
    await assert.rejects(create(path), /expected a place without an index, found one/);
    const { connect } = await import('@lancedb/lancedb');
    const database = await connect(path);
    const table = await database.openTable('lincir');
    await table.add([{ manifest: '{"version":2}' }], { mode: 'overwrite' });
    await assert.rejects(
      open(path),
      /expected an index of version 1 or older, found version 2; use a newer lincir/,
    );
    await table.add([{ manifest: '{' }], { mode: 'overwrite' });
    await assert.rejects(open(path), /expected an index that says what it is/);
    table.close();
  });
});
