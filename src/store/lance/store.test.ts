/** What only LanceDB does: the approximate index, its tables and files, and several processes at once. */

import assert from 'node:assert/strict';
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { test } from 'node:test';
import {
  all,
  create,
  info,
  newPath,
  open,
  picture,
  rounded,
  some,
  withoutVector,
} from '../../../test/stores.ts';
import { backendOf } from '../backend.ts';
import { parseFilter } from '../filter/filter.ts';
import { MemoryStore } from '../memory-store.ts';
import type { StoredImage } from '../store.ts';

test('finds nearly all by the approximate index, more images and filters included', async () => {
  const path = newPath();
  const store = await create(path);
  const exact = new MemoryStore(info);
  const add = async (pictures: readonly StoredImage[]) => {
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

test("leaves others' tables alone when it is replaced, and none of its own", async () => {
  const path = newPath();
  await (await create(path)).close();
  const { connect } = await import('@lancedb/lancedb');
  const database = await connect(path);
  await database.createTable('mine', [{ note: 'of the user' }]);
  const { backend } = await backendOf(path);
  const { store, publish } = await backend.replace(path, { ...info, fingerprint: 'fedcba9876543210' });
  await store.addMissing([{ id: 'm', path: '/m', hash: 'h', since: 1, metadata: {} }]);
  await publish();
  await store.close();
  assert.deepEqual(await database.tableNames(), ['broken-2', 'lincir', 'mine', 'missing-2', 'pictures-2']);
  database.close();
});

test('compares the names of an older version, which kept nothing to compare them by', async () => {
  const path = newPath();
  const store = await create(path);
  const paths = ['/e\u0301/o\u0308.png', 'o\u0308.png', '/o\u0308.png', '/a/b.png'];
  await store.add(paths.map((name, at) => picture(at, { path: name, folder: posix.dirname(name) })));
  await store.annotate(new Map([['o\u0308rt', 'string']]), [
    { id: picture(3).id, values: { 'o\u0308rt': 'Ko\u0308ln' } },
  ]);
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
    assert.equal(await found('read', "folder = '/a' and \u00f6rt = 'K\u00f6ln'"), 1);
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
    assert.equal((await backendOf(uri)).location, uri);
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

test('takes images from several at once, each image once', async () => {
  const path = newPath();
  await (await create(path)).close();
  const stores = await Promise.all(Array.from({ length: 4 }, () => open(path, 'add')));
  const record = { source: 'a', version: '1', state: 'done', images: 9, broken: 0 } as const;
  await Promise.all(
    stores.map(async (store, at) => {
      await store.add(some(20));
      await store.add(some(20, 10 + at));
      await store.addBroken([{ path: 'b', size: 1, modified: 2, reason: `${at}` }]);
      await store.recordSources([{ ...record, began: 1, updated: at, worker: `${at}` }]);
    }),
  );
  assert.deepEqual((await all(stores[0]!)).map(rounded), some(33).map(withoutVector).map(rounded));
  assert.equal((await stores[1]!.statistics()).broken, 1);
  assert.equal((await stores[2]!.findSources(['a'])).length, 1);
  for (const store of stores) await store.close();
});

test('takes nothing while another process may remove, or when another index is there', async () => {
  const path = newPath();
  await (await create(path)).close();
  const adding = await open(path, 'add');
  const writer = await open(path, 'write');
  await assert.rejects(open(path, 'add'), /no other process works in/);
  await assert.rejects(adding.add(some(1)), /no other process works in/);
  await writer.close();
  await adding.add(some(1));
  const { store, publish } = await (await backendOf(path)).backend.replace(path, info);
  await assert.rejects(adding.add(some(2)), /no other process works in/);
  await publish();
  await store.close();
  await assert.rejects(adding.add(some(2)), /rebuilt it|replaced it/);
  await adding.close();
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
  for (const uri of [
    'opensearch:host:9200/x',
    'opensearch:/host/x',
    'OpenSearch+https:host/x',
    'gs:/b/x',
    's3:b',
  ]) {
    await assert.rejects(backendOf(uri), /found the scheme .*: without \/\//, uri);
  }
  await assert.rejects(backendOf('ftp://host/index'), /expected a path, .* found the scheme ftp:/);
  for (const uri of ['http:x', 'HTTPS://x', 's3:bucket', 'memory:x', 'lance:ftp://x']) {
    await assert.rejects(backendOf(uri), /expected a path, .* found the scheme /, uri);
  }
  await assert.rejects(backendOf(''), /found nothing/);

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
