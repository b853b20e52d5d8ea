/** Several servers of one index in a cluster: a client may ask any of them. */

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { placeToServe, requestScope, tinyModel } from '../../test/served.ts';
import { askCluster, newClusterIndex, skipsCluster } from '../../test/stores.ts';
import { openService } from './open.ts';
import type { SearchService } from './service.ts';
import { Uploads } from './uploads.ts';

describe('servers of one index in a cluster', { skip: skipsCluster }, () => {
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
      const address = new URL(place.uri.replace('opensearch:', 'http:').replace(/,[^/]*/, ''));
      await askCluster('DELETE', `${address.pathname}.images.1`);
      assert.match((await other.readiness())!, /^index photos: /);
    } finally {
      for (const service of services) await service.close();
      await rm(folder, { recursive: true });
    }
  });
});

test('an upload that no server has is told', async () => {
  const shared = { readiness: async () => undefined, put: async () => {}, get: async () => undefined };
  await assert.rejects(new Uploads().find('abcdefghijklmnop', shared), { code: 'not-found' });
});
