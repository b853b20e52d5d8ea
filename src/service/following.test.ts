/** A service whose indexes others change, rebuild and take away. */

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { update, writePicture } from '../../test/pictures.ts';
import { type PlaceToServe, placeToServe, requestScope, tinyModel } from '../../test/served.ts';
import { type Clip, loadClip } from '../clip/index.ts';
import { openIndex, reindex } from '../indexing/index.ts';
import { openService } from './open.ts';
import type { SearchService } from './service.ts';

let folder: string;
let place: PlaceToServe;
let clip: Clip;
let other: Clip;
let service: SearchService;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lincir-following-'));
  place = await placeToServe(folder, 6);
  clip = await loadClip(tinyModel);
  other = await loadClip(`${tinyModel}-laion`);
  service = await openService({ indexes: [{ name: 'photos', uri: place.uri, phi: place.phi }] });
});
after(async () => {
  await service.close();
  await clip.dispose();
  await other.dispose();
  await rm(folder, { recursive: true });
});

const search = (text = 'a cat') => service.search({ text, limit: 100 }, requestScope());

test('finds what another process has added', async () => {
  const before = await service.describe();
  assert.equal((await search()).images.length, 6);
  const index = await openIndex(place.uri, { access: 'write', clip });
  await writePicture(join(place.photos, 'new.png'), 99);
  await update(index, clip, { images: [place.photos] });
  await index.close();
  let found = await search();
  while (found.images.length === 6) {
    await pause(200); // LanceDB looks every 5 seconds
    found = await search();
  }
  assert.equal(found.images.length, 7);
  const { images, changes } = await service.describe();
  assert.equal(images, 7);
  assert.ok(changes > before.changes);
});

test('goes on with an index that is rebuilt for another model, without a failed request', async () => {
  const { model } = await service.describe();
  let isRebuilt = false;
  let answers = 0;
  const asking = (async () => {
    while (!isRebuilt) {
      const { images } = await search();
      assert.equal(images.length, 7);
      answers += 1;
    }
  })();
  const { upload } = await service.upload(
    undefined,
    new Uint8Array(await readFile(join(place.photos, '0.png'))),
    '0.png',
    requestScope(),
  );
  for await (const _ of reindex(place.uri, other));
  await search();
  isRebuilt = true;
  await asking;
  assert.ok(answers > 0);
  const described = await service.describe();
  assert.notEqual(described.model, model);
  assert.equal(described.phi, undefined);
  assert.match(described.advice!, /phi/);
  const image = { images: [{ upload }] };
  await assert.rejects(service.search(image, requestScope()), { code: 'not-found' });
});

test('says why it cannot answer, and answers again when the index is back', async () => {
  assert.equal(await service.readiness(), undefined);
  await rename(place.uri, `${place.uri}-away`);
  let reason = await service.readiness();
  while (reason === undefined) {
    await pause(200);
    reason = await service.readiness();
  }
  assert.match(reason, /index photos/);
  await assert.rejects(service.describe(), { name: 'LincirError' });
  await rename(`${place.uri}-away`, place.uri);
  while ((await service.readiness()) !== undefined) await pause(200);
  assert.equal((await search()).images.length, 7);
});
