/** Making and opening indexes in a cluster: what is refused, what is told, and what is left alone. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failure, greeting, nodesOfTests } from '../../../test/fake-cluster.ts';
import { info } from '../../../test/stores.ts';
import { backendOf } from '../backend.ts';

const { start } = nodesOfTests();

test('more copies than the cluster has nodes for are told', async (context) => {
  const told: string[] = [];
  const listen = ({ message }: Error) => told.push(message);
  process.on('warning', listen);
  process.env.LINCIR_OPENSEARCH_REPLICAS = '3';
  context.after(() => {
    process.off('warning', listen);
    delete process.env.LINCIR_OPENSEARCH_REPLICAS;
  });
  for (const count of [3, 4]) {
    const node = await start(({ method, path }) => {
      if (path === '/') return greeting;
      if (path === '/_cluster/health') return { body: { number_of_data_nodes: count } };
      if (path.includes('_update')) return { body: { result: 'created' } };
      return method === 'GET' ? { status: 404, body: {} } : { body: {} };
    });
    const { backend, location } = await backendOf(`opensearch://127.0.0.1:${node.port}/photos`);
    await backend.create(location, info).then((store) => store.close());
  }
  assert.deepEqual(told, [
    'LINCIR_OPENSEARCH_REPLICAS is 3, but the cluster has 3 data nodes: the index is yellow until there are 4',
  ]);
});

test('an index that a newer lincir made, or a cluster without k-NN, is refused', async () => {
  const newer = { mappings: { _meta: { lincir: { ...info, version: 99 } } }, aliases: {} };
  const { port } = await start(({ path }) =>
    path === '/' ? greeting : { body: { 'photos.images.1': newer } },
  );
  const { backend, location } = await backendOf(`opensearch://127.0.0.1:${port}/photos`);
  await assert.rejects(
    backend.open(location, 'read'),
    /expected an index of version 1 or older, found version 99/,
  );
});

test('a misspelt setting of vectors is refused, and nothing is made or deleted', async () => {
  const none = { status: 404, body: {} };
  const node = await start(({ method, path }) =>
    path === '/'
      ? greeting
      : method === 'PUT'
        ? { body: {} }
        : path.includes('_update')
          ? { body: { result: 'created' } }
          : none,
  );
  const uri = `opensearch://127.0.0.1:${node.port}/photos`;
  const { backend } = await backendOf(uri);
  process.env.LINCIR_OPENSEARCH_VECTORS = 'ondisk';
  try {
    const refused = /LINCIR_OPENSEARCH_VECTORS: expected on_disk, or nothing, found "ondisk"/;
    await assert.rejects(backend.create(uri, info), refused);
  } finally {
    delete process.env.LINCIR_OPENSEARCH_VECTORS;
  }
  const changed = node.requests.filter(({ method, path }) => method !== 'GET' && path.includes('.1'));
  assert.deepEqual(changed, []);
});

test('an index of another program is neither deleted nor written, whichever name of ours it has', async () => {
  for (const name of ['photos.lease', 'photos.notes.1', 'photos.images.1']) {
    const theirs = { body: { [name]: { aliases: {}, mappings: { _meta: { made_by: 'others' } } } } };
    const taken = failure(400, 'resource_already_exists_exception', `index [${name}] already exists`);
    const node = await start(({ method, path }) => {
      if (path === '/') return greeting;
      if (path.startsWith(`/${name}`)) return method === 'GET' ? theirs : taken;
      if (path.includes('_update')) return { body: { result: 'created' } };
      return method === 'GET' ? { status: 404, body: {} } : { body: {} };
    });
    const uri = `opensearch://127.0.0.1:${node.port}/photos`;
    const { backend } = await backendOf(uri);
    await assert.rejects(backend.create(uri, info), new RegExp(`found an index or alias ${name} of another`));
    const sent = node.requests.map(({ method, path }) => `${method} ${path}`);
    assert.deepEqual(
      sent.filter((one) => one.startsWith('DELETE')),
      [],
    );
    assert.ok(!sent.some((one) => one.startsWith('POST /photos.lease') && name === 'photos.lease'));
  }
});
