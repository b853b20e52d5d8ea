/** clip-retrieval's protocol as its clients see it, with a service on a small index. */

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fakeService } from '../../../test/fake-service.ts';
import { type PlaceToServe, placeToServe } from '../../../test/served.ts';
import { loadClip } from '../../clip/index.ts';
import { LincirError } from '../../core/index.ts';
import { openIndex } from '../../indexing/index.ts';
import { openMetadata } from '../../pictures/index.ts';
import { openService, type RequestScope, type SearchService } from '../../service/index.ts';
import { createApp } from '../app.ts';
import { defaultSettings, type ServerSettings } from '../settings.ts';

const server = 'http://127.0.0.1:5462';
const { host } = new URL(server);
const settings: ServerSettings = { ...defaultSettings, knnService: true };
/** What the published Python client sends beside its query. */
const pythonFields = {
  ...{ deduplicate: true, use_safety_model: true, use_violence_detector: true, use_mclip: false },
  ...{ aesthetic_score: 9, aesthetic_weight: 0.5, modality: 'image', num_images: 40, num_result_ids: 40 },
  ...{ text: null, image: null, image_url: null, embedding_input: null, indice_name: 'photos' },
};
/** What the front sends. */
const frontFields = {
  ...{ deduplicate: true, use_safety_model: true, use_violence_detector: true, use_mclip: false },
  ...{ aesthetic_score: '', aesthetic_weight: '0.5', modality: 'image', num_images: 4, num_result_ids: 3000 },
  ...{ text: '', image: null, image_url: null, embedding_input: null, indice_name: 'photos' },
};

interface Result {
  readonly id: string;
  readonly similarity: number;
  readonly [column: string]: unknown;
}

let folder: string;
let place: PlaceToServe;
let service: SearchService;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lincir-knn-'));
  place = await placeToServe(folder, 12);
  const table = join(folder, 'table.csv');
  await writeFile(
    table,
    [
      'path,caption,url,rating,image',
      '0.png,a cat,https://example.org/cat.jpg,5,x',
      'sub/1.png,a dog,javascript:alert(1),,x',
    ].join('\n'),
  );
  const clip = await loadClip(join(import.meta.dirname, '../../../test/fixtures/tiny-clip'));
  const index = await openIndex(place.uri, { access: 'write', clip });
  await index.annotate(await openMetadata(table, { reserved: new Set() }), [place.photos]);
  await index.close();
  await clip.dispose();
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

function scope(): RequestScope {
  return { signal: new AbortController().signal, deadline: performance.now() + 60_000 };
}

async function post(path: string, body: unknown, others: Partial<ServerSettings> = {}, from = service) {
  const app = createApp(from, { ...settings, ...others });
  return await app.request(`${server}${path}`, {
    method: 'POST',
    headers: { host, 'content-type': 'text/plain;charset=UTF-8' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

async function knn(body: object, others: Partial<ServerSettings> = {}): Promise<Result[]> {
  const response = await post('/knn-service', { ...pythonFields, deduplicate: false, ...body }, others);
  const answer = await response.json();
  assert.equal(response.status, 200, JSON.stringify(answer));
  return answer as Result[];
}

async function get(path: string, others: Partial<ServerSettings> = {}): Promise<Response> {
  return await createApp(service, { ...settings, ...others }).request(`${server}${path}`, {
    headers: { host },
  });
}

async function base64Of(number: number): Promise<string> {
  return (await readFile(join(place.photos, number % 2 ? 'sub' : '', `${number}.png`))).toString('base64');
}

describe("clip-retrieval's service", () => {
  test('lists its indexes, and tells the front where it is', async () => {
    assert.deepEqual(await (await get('//indices-list')).json(), ['photos', 'plain']);
    const config = { defaultBackend: server, defaultIndex: 'photos', urlColumn: 'url' };
    assert.deepEqual(await (await get('/config.json')).json(), config);
    const behind = await get('/config.json', { publicUrl: 'https://images.example.org/search/' });
    assert.equal(
      ((await behind.json()) as { defaultBackend: string }).defaultBackend,
      'https://images.example.org/search',
    );
  });

  test('answers texts as the service itself, cut to what the model reads', async () => {
    for (const [text, meant] of [
      ['a red thing', 'a red thing'],
      ['a $1 bill for $', 'a \\$1 bill for \\$'],
      // The tiny model reads 77 tokens, of one letter here.
      ['x '.repeat(3000), 'x '.repeat(75)],
    ]) {
      const expected = (await service.search({ text: meant!, limit: 40 }, scope())).images;
      const found = await knn({ text });
      assert.deepEqual(
        found.map(({ id }) => id),
        expected.map(({ id }) => id),
      );
      found.forEach(({ similarity }, at) => {
        assert.ok(Math.abs(similarity - expected[at]!.score) < 1e-6);
      });
    }
  });

  test('gives columns to the first results only, and the others on demand', async () => {
    const response = await post('//knn-service', { ...frontFields, text: 'a cat', deduplicate: false });
    const found = (await response.json()) as Result[];
    assert.equal(found.length, 12);
    assert.deepEqual(
      found.map((result) => Object.keys(result).length > 2),
      found.map((_, at) => at < 4),
    );
    const ids = [place.ids[1]!, place.ids[0]!, '0000000000000000'];
    const metadata = (await (await post('/metadata', { ids, indice_name: 'photos' })).json()) as {
      id: string;
      metadata: Record<string, unknown>;
    }[];
    const byId = new Map(metadata.map((one) => [one.id, one.metadata]));
    assert.equal(byId.size, 2);
    assert.deepEqual(
      { ...byId.get(place.ids[0]!) },
      {
        ...{ url: 'https://example.org/cat.jpg', caption: 'a cat', rating: 5 },
        ...{ image_path: join(place.photos, '0.png'), width: 24, height: 20 },
      },
    );
    // No script, no null, and nothing that the front would take for an image in base64.
    assert.deepEqual(
      { ...byId.get(place.ids[1]!) },
      {
        ...{ url: `${server}/knn-image/photos/${place.ids[1]}`, caption: 'a dog' },
        ...{ image_path: join(place.photos, 'sub/1.png'), width: 24, height: 20 },
      },
    );
    assert.deepEqual(await (await post('/metadata', { ids: [], indice_name: 'none' })).json(), []);
  });

  test('shows pictures at the addresses that it gives', async () => {
    const [first] = await knn({ image: await base64Of(3), indice_name: '' });
    assert.equal(first!.id, place.ids[3]);
    const picture = await get(new URL(first!.url as string).pathname);
    assert.equal(picture.headers.get('content-type'), 'image/jpeg');
    const [outside] = await knn(
      { embedding_input: new Array(24).fill(0.1) },
      { publicUrl: 'https://x.org/a' },
    );
    assert.match(outside!.url as string, /^https:\/\/(x\.org\/a\/knn-image|example\.org)\//);
    assert.equal((await get('/knn-image/photos/0000000000000000')).status, 404);
    assert.equal((await get('/knn-image/none/0000000000000000')).status, 404);
    assert.equal((await get('/knn-image/photos/..%2F..%2Fetc%2Fpasswd')).status, 400);
  });

  test('takes images in base64, and by its own addresses without fetching anything', async () => {
    const data = await base64Of(5);
    const own = `${server}/knn-image/photos/${place.ids[5]}`;
    for (const query of [
      { image: data },
      { image: data.replaceAll(/.{40}/g, '$&\n') },
      { image_url: `data:image/png;base64,${data}` },
      { image: `data:image/png;base64,${data}` },
      { image_url: own },
      { image_url: own, indice_name: 'plain' },
      { image_url: `${server}/api/v1/indexes/photos/images/${place.ids[5]}/thumbnail?size=320` },
      { image_url: `https://x.org/a/knn-image/photos/${place.ids[5]}` },
    ]) {
      const found = await knn(
        query,
        query.image_url?.includes('x.org') ? { publicUrl: 'https://x.org/a' } : {},
      );
      assert.equal(found[0]!.id, place.ids[5], JSON.stringify(query));
      assert.ok(found[0]!.similarity > 0.999);
    }
    for (const address of ['http://127.0.0.1:1/a.png', 'file:///etc/passwd', 'photos/5.png', 'http://x y']) {
      const response = await post('/knn-service', { ...pythonFields, image_url: address });
      assert.equal(response.status, 500, address);
    }
  });

  test('takes vectors as they are, of any length', async () => {
    const { vector } = await service.compose({ text: 'a cat' }, scope());
    const expected = await knn({ text: 'a cat' });
    const found = await knn({ embedding_input: vector.map((value) => 10 * value) });
    assert.deepEqual(
      found.map(({ id }) => id),
      expected.map(({ id }) => id),
    );
    found.forEach(({ similarity }, at) => {
      assert.ok(Math.abs(similarity - 10 * expected[at]!.similarity) < 1e-4);
    });
  });

  test('composes an image and a text, with phi where there is one', async () => {
    const image = await base64Of(2);
    for (const [name, method] of [
      ['photos', 'lincir'],
      ['plain', 'sum'],
    ] as const) {
      const reference = { images: [{ id: place.ids[2]! }], text: 'at night', method };
      const expected = await service.search({ ...reference, index: name, limit: 40 }, scope());
      for (const query of [{ image }, { image_url: `${server}/knn-image/${name}/${place.ids[2]}` }]) {
        const found = await knn({ ...query, text: 'at night', indice_name: name });
        assert.deepEqual(
          found.map(({ id }) => id),
          expected.images.map(({ id }) => id),
        );
        assert.equal(found.length, 11, 'without the image itself');
      }
    }
  });

  test('shows near duplicates once', async () => {
    const all = await service.search({ text: 'a cat', limit: 40, fields: ['vector'] }, scope());
    const copies = all.images.map((image) => ({ ...image, vector: all.images[0]!.vector! }));
    const alike = fakeService({ search: async () => ({ ...all, images: copies }) });
    for (const [deduplicate, count] of [
      [true, 1],
      [false, 12],
    ] as const) {
      const body = { ...pythonFields, text: 'a cat', deduplicate };
      const found = (await (await post('/knn-service', body, {}, alike)).json()) as Result[];
      assert.equal(found.length, count);
      assert.equal(found[0]!.id, all.images[0]!.id);
      assert.equal(found[0]!.vector, undefined);
    }
  });

  test('says what is wrong, always as JSON', async () => {
    const refused: [string, object | string, number, RegExp][] = [
      ['/knn-service', '{', 400, /the body/],
      ['/knn-service', '', 400, /the body/],
      ['/knn-service', '[]', 500, /the request/],
      ['/knn-service', { text: 'a cat' }, 500, /modality/],
      ['/knn-service', { ...pythonFields, text: 'x', num_images: undefined }, 500, /num_images/],
      ['/knn-service', { ...pythonFields, text: 'x', indice_name: 'none' }, 500, /"none"/],
      ['/knn-service', { ...pythonFields, text: 'x', indice_name: undefined }, 500, /indice_name/],
      ['/knn-service', pythonFields, 500, /one of text, image, image_url and embedding_input/],
      ['/knn-service', { ...pythonFields, image: 'bm8gaW1hZ2U=' }, 500, /image/],
      ['/knn-service', { ...pythonFields, embedding_input: [1, 2] }, 500, /24/],
      ['/metadata', { ids: ['../../etc/passwd'], indice_name: 'photos' }, 500, /ids/],
      ['/metadata', { ids: [place.ids[0]], indice_name: 'none' }, 500, /"none"/],
    ];
    for (const [path, body, status, message] of refused) {
      const response = await post(path, body);
      const answer = (await response.json()) as { message: string };
      assert.deepEqual([response.status, Object.keys(answer)], [status, ['message']], JSON.stringify(body));
      assert.match(answer.message, message);
    }
    const failing = (error: Error) => fakeService({ search: () => Promise.reject(error) });
    const busy = new LincirError('busy', {
      ...{ subject: 'the queue', expected: 'room', found: 'none', retryAfter: 2.5 },
    });
    const told: string[] = [];
    const onError = (message: string) => told.push(message);
    const body = { ...pythonFields, text: 'a cat' };
    const later = await post('/knn-service', body, {}, failing(busy));
    assert.deepEqual([later.status, later.headers.get('retry-after')], [503, '3']);
    const broken = await post('/knn-service', body, { onError }, failing(new Error('/secret/path')));
    assert.equal(broken.status, 500);
    assert.doesNotMatch(((await broken.json()) as { message: string }).message, /secret/);
    assert.match(told[0]!, /secret/);
  });

  test('stands behind a secret part of its address where others need a key', async () => {
    const keys = ['k'.repeat(16)];
    assert.equal((await get('/indices-list', { knnService: false })).status, 404);
    assert.equal((await get('/indices-list', { keys })).status, 401);
    const behind = { keys, knnService: { token: 'secret-part-of-it' } };
    for (const [path, status] of [
      ['/indices-list', 401],
      ['/wrong/indices-list', 404],
      ['/secret-part-of-i/config.json', 404],
    ] as const) {
      assert.equal((await get(path, behind)).status, status, path);
    }
    assert.deepEqual(await (await get('/secret-part-of-it//indices-list', behind)).json(), [
      'photos',
      'plain',
    ]);
    const body = { ...pythonFields, image: await base64Of(3) };
    const found = (await (await post('/secret-part-of-it/knn-service', body, behind)).json()) as Result[];
    assert.equal(found[0]!.url, `${server}/secret-part-of-it/knn-image/photos/${place.ids[3]}`);
    assert.equal((await get(new URL(found[0]!.url as string).pathname, behind)).status, 200);
    assert.equal((await get(`/knn-image/photos/${place.ids[3]}`, behind)).status, 401);
  });

  test('answers pages of allowed sites only', async () => {
    const ask = async (origin: string) => {
      const asked = fakeService();
      const app = createApp(asked, { ...settings, allowedOrigins: ['https://front.example'] });
      const response = await app.request(`${server}/knn-service`, {
        method: 'POST',
        headers: { host, origin, 'content-type': 'text/plain;charset=UTF-8' },
        body: JSON.stringify({ ...pythonFields, text: 'a cat' }),
      });
      return [response.status, response.headers.get('access-control-allow-origin'), asked.asked.length > 0];
    };
    assert.deepEqual(await ask('https://front.example'), [200, 'https://front.example', true]);
    assert.deepEqual(await ask('https://evil.example'), [403, null, false]);
    assert.deepEqual(await ask('null'), [403, null, false]);
  });

  test('sums up what queries took', async () => {
    const app = createApp(service, settings);
    const summary = async () =>
      await (await app.request(`${server}/metrics-summary`, { headers: { host } })).text();
    assert.match(await summary(), /^No request yet/);
    const body = JSON.stringify({ ...pythonFields, text: 'a cat' });
    await app.request(`${server}/knn-service`, { method: 'POST', headers: { host }, body });
    assert.match(await summary(), /^Among 1 calls to the knn end point .*\n\n +name +calls .*\n.*%/);
  });
});
