/** Queries to a service, against the same queries to the index itself. */

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type PlaceToServe, placeToServe, requestScope } from '../../test/served.ts';
import { loadClip } from '../clip/index.ts';
import { compose, promptBeginning } from '../composition/index.ts';
import { openIndex } from '../indexing/index.ts';
import { loadPhi } from '../phi/index.ts';
import { openService } from './open.ts';
import type { SearchService } from './service.ts';

let folder: string;
let place: PlaceToServe;
let service: SearchService;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lincir-service-'));
  place = await placeToServe(folder, 12);
  service = await openService({
    indexes: [
      { name: 'photos', uri: place.uri, phi: place.phi },
      { name: 'plain', uri: place.uri },
    ],
    allowImageUrls: true,
  });
});
after(async () => {
  await service.close();
  await rm(folder, { recursive: true });
});

describe('a service', () => {
  test('composes and searches as the library does', async () => {
    const request = { images: [{ id: place.ids[3]! }], text: 'at night', without: 'people' };
    const index = await openIndex(place.uri);
    const clip = await loadClip(index.info.model, { beginnings: [promptBeginning] });
    const phi = await loadPhi(place.phi, { clip });
    try {
      const image = (await index.find(place.ids[3]!))!;
      const query = await compose({ clip, phi, ...request, images: [image] });
      const expected = await index.search(query, { top: 5, exclude: [image.hash] });
      const found = await service.search({ ...request, limit: 3, offset: 2 }, requestScope());
      assert.deepEqual(
        found.images.map(({ id }) => id),
        expected.slice(2).map(({ id }) => id),
      );
      for (const [at, { score }] of found.images.entries()) {
        assert.ok(Math.abs(score - expected[2 + at]!.score) < 1e-6);
      }
      assert.deepEqual([found.method, found.prompt, found.hasMore], ['lincir', query.prompt, true]);
      const { vector } = await service.compose(request, requestScope());
      assert.deepEqual(Float32Array.from(vector), query.vector);
    } finally {
      await phi.dispose();
      await clip.dispose();
      await index.close();
    }
  });

  test('takes uploads and bytes as the images that they are', async () => {
    const bytes = Uint8Array.from(await readFile(join(place.photos, 'sub/5.png')));
    const data = Buffer.from(bytes).toString('base64');
    const { upload, ...facts } = await service.upload(undefined, bytes, 'five.png', requestScope());
    assert.deepEqual(facts, { name: 'five.png', width: 24, height: 20, id: place.ids[5] });
    const vectorOf = async (image: { id: string } | { upload: string } | { data: string }) =>
      (await service.compose({ images: [image] }, requestScope())).vector;
    const expected = await vectorOf({ id: place.ids[5]! });
    for (const found of [await vectorOf({ upload }), await vectorOf({ data })]) {
      for (const [at, value] of found.entries()) assert.ok(Math.abs(value - expected[at]!) < 1e-5);
    }
    const results = await service.search({ images: [{ upload }], limit: 1 }, requestScope());
    assert.notEqual(results.images[0]!.id, place.ids[5]);
    assert.equal((await service.uploadThumbnail(upload)).type, 'image/jpeg');
  });

  test('answers with the asked fields', async () => {
    const request = { images: [{ id: place.ids[0]! }], limit: 1, includeReferences: true };
    const [first] = (await service.search({ ...request, fields: ['vector'] }, requestScope())).images;
    assert.deepEqual(Object.keys(first!), ['id', 'vector', 'score']);
    assert.equal(first!.vector!.length, 24);
    const [known] = await service.images('photos', { ids: [place.ids[0]!], fields: ['path'] });
    assert.deepEqual(Object.keys(known!), ['id', 'path', 'size', 'modified']);
  });

  test('refuses what it cannot answer', async () => {
    const image = { id: place.ids[0]! };
    const refused: [Parameters<SearchService['search']>[0], RegExp][] = [
      [{ index: 'other' }, /index "other": expected one of photos, plain/],
      [{}, /a query: expected an image/],
      [{ images: [{ id: '0000000000000000' }] }, /image 0000000000000000/],
      [{ images: [{ upload: 'abcdefghijklmnop' }] }, /upload/],
      [{ images: [{ url: 'http://127.0.0.1/a.png' }] }, /image by its web address/],
      [{ images: [image], text: 'x', filter: 'nothing = 1' }, /nothing/],
      [{ index: 'plain', images: [image], text: 'x' }, /method lincir/],
    ];
    for (const [request, message] of refused) {
      await assert.rejects(service.search(request, requestScope()), { name: 'LincirError', message });
    }
  });
});
