/** The typed client against a server that listens. */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { fakeService, knownId, pixel } from '../../test/fake-service.ts';
import { type Client, createClient, LincirProblem } from '../api/index.ts';
import { LincirError } from '../core/index.ts';
import { createApp } from './app.ts';
import { type RunningServer, serve } from './serve.ts';
import { defaultSettings } from './settings.ts';

describe('the client', () => {
  const gone = Promise.withResolvers<void>();
  const service = fakeService({
    compose: () =>
      Promise.reject(new LincirError('busy', { subject: 'a', expected: 'b', found: 'c', retryAfter: 3 })),
    embed: (_, { signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          gone.resolve();
          reject(signal.reason);
        });
      }),
  });
  let server: RunningServer;
  let client: Client;
  before(async () => {
    const settings = { ...defaultSettings, port: 0 };
    server = await serve(createApp(service, settings), settings);
    client = createClient({ url: server.url });
  });
  after(() => server.close(0));

  test('asks every route', async () => {
    const [index] = (await client.server()).indexes;
    assert.equal(index!.name, 'photos');
    assert.equal((await client.index('photos')).images, 1);
    assert.equal((await client.models())[0]!.name, 'mini');
    assert.equal((await client.search({ text: 'ein Häuschen' })).images[0]!.id, knownId);
    const upload = await client.upload(new Uint8Array([1, 2]), { index: 'photos', name: 'ä&b.jpg' });
    assert.deepEqual([upload.name, upload.width], ['ä&b.jpg', 2]);
    assert.equal((await client.images('photos', { ids: [knownId] }))[0]!.path, '/photos/a.jpg');
    assert.equal((await client.image('photos', knownId)).id, knownId);
    const values = await client.values('photos', 'a/b?', { prefix: '50%', limit: 3 });
    assert.equal(values.values[0]!.count, 1);
    assert.deepEqual(service.asked.at(-1), ['values', 'photos', 'a/b?', { prefix: '50%', limit: 3 }]);
    assert.deepEqual(await client.thumbnail('photos', knownId, 64), pixel.bytes);
    for (const address of [
      client.thumbnailUrl('photos', knownId),
      client.originalUrl('photos', knownId),
      client.uploadThumbnailUrl(upload.upload),
    ])
      assert.equal((await fetch(address)).status, 200, address);
  });

  test('throws problems with their parts', async () => {
    await assert.rejects(client.index('none'), (problem) => {
      assert.ok(problem instanceof LincirProblem && problem instanceof Error);
      assert.deepEqual([problem.status, problem.code, problem.found], [404, 'not-found', 'none']);
      assert.match(problem.message, /expected an image of the index, found none/);
      return true;
    });
    await assert.rejects(client.compose({ text: 'a' }), { status: 503, retryAfter: 3 });
    await assert.rejects(createClient({ url: 'http://127.0.0.1:1' }).server(), {
      name: 'LincirProblem',
      ...{ status: 0, code: 'unreachable' },
    });
    const page = createClient({
      url: server.url,
      fetch: async () => new Response('<html>', { status: 502 }),
    });
    await assert.rejects(page.server(), { status: 502, code: 'unknown' });
  });

  test('ends a request, and the server hears of it', async () => {
    const controller = new AbortController();
    const answer = client.embed({ texts: ['a'] }, { signal: controller.signal });
    setTimeout(() => controller.abort(new Error('enough')), 50);
    await assert.rejects(answer, { message: 'enough' });
    await gone.promise;
  });
});
