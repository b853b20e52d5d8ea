/** Several servers of one index in a cluster: a client may ask any of them. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { placeToServe, requestScope, tinyModel } from '../../test/served.ts';
import { askCluster, newClusterIndex, skipsCluster } from '../../test/stores.ts';
import { loadClip } from '../clip/index.ts';
import { reindex } from '../indexing/index.ts';
import { openService } from './open.ts';
import type { SearchService } from './service.ts';
import { Uploads } from './uploads.ts';

describe('servers of one index in OpenSearch', { skip: skipsCluster }, () => {
  test('share uploads and changes, and tell when they cannot answer', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lincir-sharing-'));
    const place = await placeToServe(folder, 8, tinyModel, newClusterIndex());
    const indexes = [{ name: 'photos', uri: place.uri, phi: place.phi }];
    const services: SearchService[] = [];
    try {
      for (let at = 0; at < 2; at += 1) services.push(await openService({ indexes }));
      const [one, other] = services as [SearchService, SearchService];
      const bytes = Uint8Array.from(await readFile(join(place.photos, 'sub/5.png')));
      const { upload } = await one.upload(undefined, bytes, 'five.png', requestScope());
      for (const service of [other, one]) {
        const request = { images: [{ upload }], limit: 1, includeReferences: true };
        const { images } = await service.search(request, requestScope());
        assert.deepEqual(
          images.map(({ id }) => id),
          [place.ids[5]],
        );
        const { type, name } = await service.uploadThumbnail(upload);
        assert.deepEqual([type, name], ['image/jpeg', 'five.png']);
        assert.equal(await service.readiness(), undefined);
      }
      await assert.rejects(other.uploadThumbnail('a-handle-of-no-upload'), { code: 'not-found' });
      const clip = await loadClip(tinyModel);
      for await (const _ of reindex(place.uri, clip));
      await clip.dispose();
      services.push(await openService({ indexes }));
      assert.equal((await services[2]!.uploadThumbnail(upload)).name, 'five.png', 'it outlives a rebuild');
      const address = new URL(place.uri.replace('opensearch:', 'http:').replace(/,[^/]*/, ''));
      await askCluster('DELETE', `${address.pathname}.images.2`);
      assert.match((await other.readiness())!, /^index photos: /);
    } finally {
      for (const service of services) await service.close();
      await rm(folder, { recursive: true });
    }
  });
});

test('a request ends in time when OpenSearch is away', { skip: skipsCluster }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lincir-away-'));
  const place = await placeToServe(folder, 2, tinyModel, newClusterIndex());
  const { hostname, port } = new URL(place.uri.replace('opensearch:', 'http:').replace(/,[^/]*/, ''));
  const sockets = new Set<Socket>();
  const proxy = createServer((socket) => {
    const onward = connect(Number(port), hostname);
    for (const end of [socket, onward]) sockets.add(end.on('error', () => {}));
    socket.pipe(onward).pipe(socket);
  });
  await once(proxy.listen(0, '127.0.0.1'), 'listening');
  const { port: own } = proxy.address() as AddressInfo;
  const uri = place.uri.replace(/\/\/[^/]*/, `//127.0.0.1:${own}`);
  const service = await openService({ indexes: [{ name: 'photos', uri }] });
  try {
    const scope = () => ({ signal: new AbortController().signal, deadline: performance.now() + 3000 });
    assert.equal((await service.search({ text: 'a cat' }, scope())).images.length, 2);
    proxy.close();
    for (const socket of sockets) socket.destroy();
    await assert.rejects(service.search({ text: 'a cat' }, scope()), { code: 'busy' });
    assert.match((await service.readiness())!, /^index photos: /);
    await once(proxy.listen(own, '127.0.0.1'), 'listening');
    assert.equal((await service.search({ text: 'a cat' }, requestScope())).images.length, 2);
  } finally {
    await service.close();
    proxy.close();
    for (const socket of sockets) socket.destroy();
    await rm(folder, { recursive: true });
  }
});

test('an upload that no server has is told', async () => {
  const shared = { readiness: async () => undefined, put: async () => {}, get: async () => undefined };
  await assert.rejects(new Uploads().find('abcdefghijklmnop', shared), { code: 'not-found' });
});
