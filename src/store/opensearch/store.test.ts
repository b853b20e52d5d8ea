/** What a store in a cluster does that others do not: several processes at work, and what else the cluster holds. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import {
  askCluster,
  create,
  info,
  newClusterIndex,
  open,
  picture,
  skipsCluster,
  some,
} from '../../../test/stores.ts';
import { thisProcess } from '../../files/index.ts';
import { backendOf } from '../backend.ts';
import { parseFilter } from '../filter/filter.ts';
import { MemoryStore } from '../memory-store.ts';
import type { VectorStore } from '../store.ts';
import { parseAddress } from './address.ts';

const nameOf = (uri: string) => parseAddress(uri).name;

/** Writes a lease as a process that ended, or that is far away. */
async function leave(uri: string, holder: object, expires: number): Promise<void> {
  const body = { owner: 'other', holder, expires };
  await askCluster('PUT', `/${nameOf(uri)}.lease/_doc/writer?refresh=true`, body);
}

const remove = (store: VectorStore) => store.remove([picture(0).id]);

describe('a store in OpenSearch', { skip: skipsCluster }, () => {
  test('shows what is written to itself at once, and to others after a commit', async () => {
    const uri = newClusterIndex();
    const store = await create(uri);
    const reader = await open(uri);
    const versions = [await reader.version()];
    await store.add(some(3));
    assert.equal(await store.count(), 3);
    assert.equal(await reader.count(), 3); // a look at its own makes it common
    await store.add(some(3, 3));
    await store.commit();
    assert.equal(await reader.count(), 6);
    versions.push(await reader.version());
    await store.remove([picture(0).id]);
    await store.maintain();
    versions.push(await reader.version());
    assert.equal(new Set(versions).size, 3);
    await reader.close();
    await store.close();
  });

  test('adds the field that an index of an earlier version lacks', async () => {
    const uri = newClusterIndex();
    await (await create(uri)).close();
    const path = `/${nameOf(uri)}.images.1`;
    const { aliases, mappings } = Object.values(
      (await (await askCluster('GET', path)).json()) as Record<
        string,
        { aliases: object; mappings: { properties: Record<string, unknown> } }
      >,
    )[0]!;
    delete mappings.properties.memberOffset;
    await askCluster('DELETE', path);
    const made = await askCluster('PUT', path, { mappings, aliases, settings: { index: { knn: true } } });
    assert.equal(made.status, 200, await made.text());
    const reader = await open(uri);
    assert.equal(await reader.count(), 0);
    await reader.close();
    const adding = await open(uri, 'add');
    await adding.add([picture(1, { memberOffset: 2 ** 40 })]);
    assert.equal((await adding.lookUp('id', [picture(1).id]))[0]?.memberOffset, 2 ** 40);
    await adding.close();
  });

  test('lets several add beside the one that writes, and makes an index once', async () => {
    const uri = newClusterIndex();
    const { backend, location } = await backendOf(uri);
    const adding = await Promise.all(Array.from({ length: 4 }, () => backend.create(location, info, 'add')));
    const writer = await open(uri, 'write');
    await Promise.all(adding.map((store, at) => store.add(some(20, 10 * at))));
    await remove(writer);
    await Promise.all(adding.map((store) => store.close()));
    assert.equal(await writer.count(), 49);
    await assert.rejects(
      open(uri, 'write'),
      /expected an index that no other process changes, found process \d+ on/,
    );
    await writer.close();
  });

  test('keeps others from adding while it is replaced, and lets them again when that is given up', async () => {
    const uri = newClusterIndex();
    const { backend, location } = await backendOf(uri);
    const adding = await backend.create(location, info, 'add');
    await adding.add(some(5));
    const { store } = await backend.replace(location, { ...info, fingerprint: 'fedcba9876543210' });
    await assert.rejects(
      adding.add(some(5, 5)),
      /found that it is being rebuilt, or was replaced meanwhile; wait/,
    );
    await assert.rejects(open(uri, 'add'), /no other process changes/);
    await assert.rejects(open(uri, 'write'), /no other process changes/);
    assert.equal(await adding.count(), 5);
    await store.close();
    await adding.add(some(5, 5));
    assert.equal(await adding.count(), 10);
    // Another process may end without a word.
    const begun = await backend.replace(location, { ...info, fingerprint: 'fedcba9876543210' });
    await leave(uri, await thisProcess(), 0);
    const next = await open(uri, 'add');
    await next.add(some(5, 10));
    assert.equal(await next.count(), 15);
    await assert.rejects(begun.publish(), { code: 'io' });
    await Promise.all([begun.store, next, adding].map((one) => one.close().catch(() => {})));
    assert.equal(await (await open(uri)).count(), 15);
  });

  test('takes the old index away apart from the swap, at the latest with the next write', async () => {
    const uri = newClusterIndex();
    const { backend, location } = await backendOf(uri);
    await (await backend.create(location, info)).close();
    const generations = async () =>
      (await (await askCluster('GET', `/_cat/indices/${nameOf(uri)}.images.*?h=index`)).text())
        .trim()
        .split('\n')
        .map((index) => index.replace(/^.*\./, ''))
        .sort();
    const swap = async (fingerprint: string) => {
      const { store, publish } = await backend.replace(location, { ...info, fingerprint });
      await publish();
      await store.close();
    };
    await swap('fedcba9876543210');
    assert.deepEqual(await generations(), ['2']);
    const ours = { mappings: { _meta: { lincir: info } } };
    await askCluster('PUT', `/${nameOf(uri)}.images.1`, ours); // as if it had ended between the two
    await swap('0123456789abcdef');
    assert.deepEqual(await generations(), ['3']);
    await askCluster('PUT', `/${nameOf(uri)}.images.2`, ours);
    const half = await backend.replace(location, { ...info, fingerprint: 'fedcba9876543210' });
    assert.deepEqual(await generations(), ['3', '4']);
    await half.store.close();
    await askCluster('PUT', `/${nameOf(uri)}.images.2`, ours);
    await (await open(uri, 'add')).close();
    assert.deepEqual(await generations(), ['2', '3', '4']);
    await (await open(uri, 'write')).close();
    assert.deepEqual(await generations(), ['3']);
    const notes = await askCluster('GET', `/_cat/indices/${nameOf(uri)}.notes.*?h=index`);
    assert.match(await notes.text(), /^\S+\.notes\.3\n$/);
  });

  test('has as many parts as before after a rebuild, even if a node is away then', async () => {
    const uri = newClusterIndex();
    const { backend, location } = await backendOf(uri);
    process.env.LINCIR_OPENSEARCH_SHARDS = '5'; // as if there had been five nodes
    try {
      await (await backend.create(location, info)).close();
    } finally {
      delete process.env.LINCIR_OPENSEARCH_SHARDS;
    }
    const { store, publish } = await backend.replace(location, { ...info, fingerprint: 'fedcba9876543210' });
    await publish();
    await store.close();
    const parts = await askCluster('GET', `/_cat/indices/${nameOf(uri)}.images.*?h=pri`);
    assert.equal((await parts.text()).trim(), '5');
  });

  test('takes a lease over when its process ended or gave no sign of life, and whoever lost it writes no more', async (context) => {
    const uri = newClusterIndex();
    const store = await create(uri);
    await store.add(some(2));
    const ended = spawnSync(process.execPath, ['-e', '']).pid;
    await leave(uri, { ...(await thisProcess()), pid: ended }, Date.now() + 1e6);
    const second = await open(uri, 'write');
    await leave(uri, { pid: 1, birth: '', place: 'elsewhere' }, Date.now() + 1e6);
    await assert.rejects(open(uri, 'write'), /found process 1 on "elsewhere"/);
    await leave(uri, { pid: 1, birth: '', place: 'elsewhere' }, Date.now() - 1000);
    const third = await open(uri, 'write');
    context.mock.timers.enable({ apis: ['Date'], now: Date.now() });
    context.mock.timers.tick(60_000);
    for (const lost of [store, second]) {
      await assert.rejects(remove(lost), /expected to be the only one who changes it, found another process/);
      await assert.rejects(lost.annotate(new Map([['rating', 'number']]), []), /found another process/);
      await lost.close().catch(() => {});
    }
    await remove(third);
    assert.equal(await third.count(), 1);
    await third.close();
  });

  test('leaves alone what others keep under its name', async () => {
    const uri = newClusterIndex();
    const { backend, location } = await backendOf(uri);
    await askCluster('PUT', `/${nameOf(uri)}`, {});
    const refused = /expected an index of lincir, or none, found an index or alias .* of another program/;
    for (const access of ['read', 'write'] as const) await assert.rejects(open(uri, access), refused);
    await assert.rejects(backend.create(location, info), refused);
    const other = newClusterIndex();
    await askCluster('PUT', `/${nameOf(other)}.other`, { aliases: { [nameOf(other)]: {} } });
    await assert.rejects(open(other), refused);
    await assert.rejects(backend.create(other, info), refused);
    const part = newClusterIndex();
    await askCluster('PUT', `/${nameOf(part)}.images.1`, {});
    await assert.rejects(backend.create(part, info), refused);
    for (const index of [nameOf(uri), `${nameOf(other)}.other`, `${nameOf(part)}.images.1`]) {
      assert.equal((await askCluster('HEAD', `/${index}`)).status, 200);
    }
    for (const name of ['notes.1', 'lease']) {
      const beside = newClusterIndex();
      await askCluster('PUT', `/${nameOf(beside)}.${name}/_doc/1?refresh=true`, { theirs: 1 });
      await assert.rejects(backend.create(beside, info), refused, name);
      const left = await askCluster('GET', `/${nameOf(beside)}.${name}/_search`);
      assert.match(await left.text(), /"_source":\{"theirs":1\}/, name);
    }
    for (const name of ['notes.2', 'images.2']) {
      const later = newClusterIndex();
      await (await create(later)).close();
      await askCluster('PUT', `/${nameOf(later)}.${name}`, {});
      const rebuilt = backend.replace(later, { ...info, fingerprint: 'fedcba9876543210' });
      await assert.rejects(rebuilt, refused, name);
      assert.equal((await askCluster('HEAD', `/${nameOf(later)}.${name}`)).status, 200, name);
      const writer = await open(later, 'write');
      await writer.add(some(1)); // it is writable again
      await writer.close();
      assert.equal((await askCluster('HEAD', `/${nameOf(later)}.${name}`)).status, 200, name);
    }
    const alias = newClusterIndex();
    await askCluster('PUT', `/${nameOf(alias)}.theirs`, { aliases: { [`${nameOf(alias)}.lease`]: {} } });
    await assert.rejects(backend.create(alias, info), refused);
    await assert.rejects(open(newClusterIndex()), /expected an index, found none; check the address/);
  });

  test('makes no index of what somebody has deleted', async () => {
    const uri = newClusterIndex();
    const store = await create(uri);
    await store.add(some(2));
    for (const part of ['images.1', 'notes.1']) await askCluster('DELETE', `/${nameOf(uri)}.${part}`);
    await assert.rejects(store.add(some(2, 2)), /being rebuilt, or was replaced|a part of it is gone/);
    await assert.rejects(
      store.addBroken([{ path: 'a', size: 1, modified: 1, reason: 'b' }]),
      /being rebuilt/,
    );
    await assert.rejects(store.search({ vector: picture(0).vector, limit: 1 }), { code: 'not-found' });
    const left = await (await askCluster('GET', `/_cat/indices/${nameOf(uri)}*?h=index`)).text();
    assert.deepEqual(left.trim().split('\n'), [`${nameOf(uri)}.lease`]);
    await store.close().catch(() => {});
  });

  test('has columns of any name, and says how many there may be', async () => {
    const store = await create(newClusterIndex());
    const names = [
      'a.b',
      'a',
      '*',
      '__proto__',
      'constructor',
      '_id',
      'größe "°" 🦊',
      ' ',
      'a%2eb',
      'm',
      'f.a',
    ];
    const columns = new Map(names.map((name, at) => [name, at % 2 ? 'number' : 'string'] as const));
    const given = (name: string) => (columns.get(name) === 'number' ? 7 : `of ${name}`);
    await store.add(some(3));
    const values = Object.fromEntries(names.map((name) => [name, given(name)]));
    Object.defineProperty(values, '__proto__', { value: 7, enumerable: true });
    await store.annotate(columns, [{ id: picture(1).id, values }]);
    assert.deepEqual([...(await store.columns()).keys()].slice(4).sort(), [...names].sort());
    const [found] = await store.find('id', [picture(1).id]);
    for (const name of names) {
      assert.equal(Object.getOwnPropertyDescriptor(found!.metadata, name)?.value, given(name), name);
      const value = columns.get(name) === 'number' ? '= 7' : `ilike '%F ${name}'`;
      const filter = parseFilter(`"${name.replaceAll('"', '""')}" ${value}`, await store.columns());
      assert.equal(await store.count(filter), 1, name);
    }
    const many = new Map(Array.from({ length: 990 }, (_, at) => [`column ${at}`, 'string'] as const));
    await assert.rejects(store.annotate(many, []), /at most 1000 columns of metadata, found 1001; leave out/);
    many.delete('column 0');
    await store.annotate(many, []);
    assert.equal((await store.columns()).size, 4 + 1000);
    await store.close();
  });

  test('names an image that the cluster refuses, and writes the others', async () => {
    const store = await create(newClusterIndex());
    const bad = picture(1, { vector: new Float32Array(3) });
    await assert.rejects(store.add([picture(0), bad, picture(2)]), (error: Error) => {
      assert.match(error.message, /p00001 .*expected an image that the cluster takes, found .*vector/);
      return true;
    });
    assert.deepEqual(
      (
        await store.find(
          'id',
          some(3).map(({ id }) => id),
        )
      ).map(({ id }) => id),
      ['p00000', 'p00002'],
    );
    await store.close();
  });

  test('finds nearly all by the graph, and as many as pass a filter', async () => {
    const store = await create(newClusterIndex());
    const memory = new MemoryStore(info);
    for (const one of [store, memory]) await one.add(some(3000));
    for (const where of [undefined, 'size < 1600', 'size < 130', 'size = 7']) {
      const filter = where === undefined ? undefined : parseFilter(where, await store.columns());
      let found = 0;
      let wanted = 0;
      for (let query = 0; query < 5; query += 1) {
        const { vector } = picture(1_000_000 + query);
        const truth = await memory.search({ vector, limit: 50, filter });
        const ids = new Set((await store.search({ vector, limit: 50, filter })).map(({ id }) => id));
        assert.equal(ids.size, truth.length);
        found += truth.filter(({ id }) => ids.has(id)).length;
        wanted += truth.length;
      }
      assert.ok(found >= wanted * 0.99, `${found} of ${wanted} with ${where}`);
    }
    await store.close();
  });

  test('ranks all when asked for more than the graph gives, equally near ones by id', async () => {
    const store = await create(newClusterIndex());
    const memory = new MemoryStore(info);
    const images = some(300).map((image, at) => ({ ...image, vector: picture(at % 50).vector }));
    for (const one of [store, memory]) await one.add(images.toReversed());
    const { vector } = picture(1000);
    for (const query of [
      { vector, limit: 40 },
      { vector, limit: 37, exact: true },
      { vector, limit: 20_000 },
    ]) {
      const ids = async (one: VectorStore) => (await one.search(query)).map(({ id }) => id);
      assert.deepEqual(await ids(store), await ids(memory));
    }
    await assert.rejects(store.search({ vector, limit: 100_001 }), /expected at most 100000, found 100001/);
    await store.close();
  });
});
