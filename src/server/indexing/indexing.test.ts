/** Indexing over HTTP: of known folders alone, one at a time, stopped in order, and followed by the service. */

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { Hono } from 'hono';
import { writePicture } from '../../../test/pictures.ts';
import { placeToServe } from '../../../test/served.ts';
import { createClient, type IndexingAnswer } from '../../api/index.ts';
import { openService, type SearchService } from '../../service/index.ts';
import { createApp } from '../app.ts';
import { expectGuarded } from '../exposure.ts';
import { defaultSettings } from '../settings.ts';
import { Indexing } from './indexing.ts';

let folder: string;
let photos: string;
let named: string;
let app: Hono;
let service: SearchService;
let indexing: Indexing;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lincir-http-indexing-'));
  const place = await placeToServe(folder, 4);
  photos = place.photos;
  named = join(folder, 'named');
  await mkdir(named);
  const indexes = [{ name: 'photos', uri: place.uri, folders: [named, join(folder, 'nowhere')] }];
  service = await openService({ indexes });
  indexing = new Indexing({ indexes, threads: 1 });
  app = createApp(service, { ...defaultSettings, indexing });
});
after(async () => {
  await indexing.close();
  await service.close();
  await rm(folder, { recursive: true });
});

const origin = 'http://127.0.0.1:5462';
async function ask(method: string, body?: unknown) {
  const headers = {
    host: '127.0.0.1:5462',
    ...(body !== undefined && { 'content-type': 'application/json' }),
  };
  const sent = { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) };
  const response = await app.request(`${origin}/api/v1/indexing`, sent);
  return { status: response.status, answer: (await response.json()) as IndexingAnswer & { detail: string } };
}
async function ended(): Promise<NonNullable<IndexingAnswer['last']>> {
  for (;;) {
    const { answer } = await ask('GET');
    if (answer.running === undefined) return answer.last!;
    await pause(50);
  }
}
async function idOf(path: string): Promise<string> {
  const { answer } = await ask('GET');
  return answer.indexes[0]!.folders.find((one) => one.path === path)!.id;
}
/** The service looks for changes now and then. */
async function countBecomes(isRight: (images: number) => boolean): Promise<void> {
  for (;;) {
    if (isRight((await service.describe('photos')).images)) return;
    await pause(50);
  }
}

describe('indexing over HTTP', () => {
  test('knows the named folders, and those that images lie in', async () => {
    const { answer } = await ask('GET');
    assert.deepEqual(
      answer.indexes.map(({ name, folders }) => [name, folders.map(({ path, isThere }) => [path, isThere])]),
      [
        [
          'photos',
          [
            [named, true],
            [join(folder, 'nowhere'), false],
            [photos, true],
          ],
        ],
      ],
    );
    assert.equal(answer.running, undefined);
    assert.equal((await service.describe()).images, 4);
    const server = await app.request(`${origin}/api/v1`, { headers: { host: '127.0.0.1:5462' } });
    assert.equal(((await server.json()) as { allows: { indexing: boolean } }).allows.indexing, true);
  });

  test('brings an index up to date, and the service follows', async () => {
    await writePicture(join(named, 'new.png'), 50);
    await writePicture(join(photos, 'other.png'), 51);
    const started = await ask('POST', { index: 'photos', folders: [await idOf(named)] });
    assert.deepEqual([started.status, started.answer.running?.folders], [202, [named]]);
    const again = await ask('POST', {});
    assert.equal(again.status, 409);
    assert.match(again.answer.detail, /indexing: expected nothing that is being indexed/);
    const last = await ended();
    assert.deepEqual([last.state, last.problem, last.changes?.added], ['done', undefined, 1]);
    await countBecomes((images) => images === 5);
    // By default, all that are there; what one does not have is not missed in another.
    const client = createClient({
      url: origin,
      fetch: (address, init) =>
        Promise.resolve(
          app.request(address, { ...init, headers: { ...init.headers, host: '127.0.0.1:5462' } }),
        ),
    });
    assert.deepEqual((await client.startIndexing()).running?.folders, [named, photos]);
    const { changes } = await ended();
    assert.deepEqual([changes?.added, changes?.unchanged, changes?.removed], [1, 5, 0]);
    await countBecomes((images) => images === 6);
  });

  test('takes ids of folders, and nothing else', async () => {
    for (const [body, status] of [
      [{ folders: [photos] }, 400],
      [{ folders: ['../../etc'] }, 400],
      [{ folders: [0] }, 400],
      [{ folders: [] }, 400],
      [{ path: '/etc' }, 400],
      [{ folders: ['0123456789abcdef'] }, 404],
      [{ index: 'other' }, 404],
      [{ index: '../photos' }, 400],
    ] as const) {
      const { status: found } = await ask('POST', body);
      assert.equal(found, status, JSON.stringify(body));
    }
    assert.equal((await ask('GET')).answer.running, undefined);
  });

  test('says why it failed', async () => {
    const { status } = await ask('POST', { folders: [await idOf(join(folder, 'nowhere'))] });
    assert.equal(status, 202);
    const last = await ended();
    assert.equal(last.state, 'failed');
    assert.match(last.problem!, /nowhere.*expected something that can be read/);
  });

  test('stops, and keeps what is done', async () => {
    for (let number = 0; number < 300; number += 1) {
      await writePicture(join(named, `${number}.png`), 1000 + number);
    }
    await ask('POST', { folders: [await idOf(named)] });
    for (;;) {
      const { answer } = await ask('GET');
      if ((answer.running?.done ?? 0) > 0 || answer.running === undefined) break;
      await pause(20);
    }
    await ask('DELETE');
    const last = await ended();
    assert.ok(['stopped', 'done'].includes(last.state), last.state);
    assert.equal((await ask('DELETE')).status, 200);
    // The index has been given back.
    await ask('POST', {});
    assert.equal((await ended()).state, 'done');
    await countBecomes((images) => images === 306);
  });

  test('is not there unless it is allowed, nor for strangers', async () => {
    const closed = createApp(service, defaultSettings);
    const response = await closed.request(`${origin}/api/v1/indexing`, {
      headers: { host: '127.0.0.1:5462' },
    });
    assert.equal(response.status, 404);
    const guarded = createApp(service, { ...defaultSettings, indexing, keys: ['a-key-of-some-length'] });
    const refused = await guarded.request(`${origin}/api/v1/indexing`, {
      headers: { host: '127.0.0.1:5462' },
    });
    assert.equal(refused.status, 401);
    const open = { ...defaultSettings, indexing, host: '0.0.0.0', withoutKey: true, allowedHosts: ['a.org'] };
    assert.throws(() => expectGuarded(open), /`indexing`: expected keys/);
  });
});
