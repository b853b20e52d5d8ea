/** Every route, without a socket. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fakeService, knownId } from '../../test/fake-service.ts';
import { LincirError } from '../core/index.ts';
import { createApp } from './app.ts';
import { defaultSettings, type ServerSettings } from './settings.ts';

const errors: string[] = [];
const setUp = (overrides: Parameters<typeof fakeService>[0] = {}, settings: Partial<ServerSettings> = {}) => {
  const service = fakeService(overrides);
  const app = createApp(service, { ...defaultSettings, onError: (line) => errors.push(line), ...settings });
  const ask = async (path: string, init: RequestInit = {}) => {
    const headers = new Headers(init.headers);
    if (!headers.has('host')) headers.set('host', 'localhost:5462');
    return app.request(path, { ...init, headers });
  };
  const post = (path: string, body: unknown) =>
    ask(path, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    });
  return { service, ask, post };
};

describe('queries', () => {
  test('search takes JSON', async () => {
    const { service, post } = setUp();
    const answer = await post('/api/v1/search', { images: [{ id: knownId }], text: 'in snow', limit: 3 });
    assert.equal(answer.status, 200);
    assert.equal(((await answer.json()) as { limit: number }).limit, 3);
    assert.deepEqual(service.asked, [['search', { images: [{ id: knownId }], text: 'in snow', limit: 3 }]]);
  });

  test('search takes a form, whose files come before its other images', async () => {
    const { service, ask } = setUp();
    const body = new FormData();
    body.append('image', new File(['abcd'], 'dog.jpg'));
    body.append('images', JSON.stringify({ id: knownId }));
    body.append('text', '12');
    body.append('limit', '5');
    body.append('fields', 'path');
    body.append('fields', 'hash');
    body.append('unique', 'true');
    const answer = await ask('/api/v1/search', { method: 'POST', body });
    assert.equal(answer.status, 200, await answer.clone().text());
    const [sent, [search, request] = []] = service.asked as readonly (readonly unknown[])[];
    assert.deepEqual(sent, ['upload', undefined, new TextEncoder().encode('abcd'), 'dog.jpg']);
    assert.equal(search, 'search');
    assert.deepEqual(request, {
      images: [{ upload: 'upload-0123456789' }, { id: knownId }],
      text: '12',
      limit: 5,
      fields: ['path', 'hash'],
      unique: true,
    });
  });

  test('a form has lists as JSON, or field by field', async () => {
    const { service, ask } = setUp();
    const sent = async (fields: readonly (readonly [string, string])[]) => {
      const body = new FormData();
      for (const [name, value] of fields) body.append(name, value);
      const { status } = await ask('/api/v1/search', { method: 'POST', body });
      return status === 200 ? service.asked.at(-1)![1] : status;
    };
    assert.deepEqual(await sent([['fields', '["path","hash"]']]), { fields: ['path', 'hash'] });
    assert.deepEqual(await sent([['fields', 'path']]), { fields: ['path'] });
    assert.deepEqual(await sent([['vector', '[1, 0]']]), { vector: [1, 0] });
    assert.deepEqual(await sent([['text', '[1]']]), { text: '[1]' });
    assert.equal(await sent([['limit', 'many']]), 400);
    assert.equal(
      await sent([
        ['text', 'a'],
        ['text', 'b'],
      ]),
      400,
    );
    assert.equal(await sent([['__proto__', '{"limit":1}']]), 400);
  });

  test('compose and embed', async () => {
    const { post } = setUp();
    const composed = await (await post('/api/v1/compose', { text: 'a red house' })).json();
    assert.deepEqual((composed as { vector: number[] }).vector, [1, 0]);
    const embedded = await (await post('/api/v1/embed', { texts: ['a', 'b'] })).json();
    assert.deepEqual((embedded as { texts: number[][] }).texts, [
      [1, 0],
      [1, 0],
    ]);
  });

  test('an upload is the body, or the file of a form', async () => {
    const { ask } = setUp();
    const sent = await ask('/api/v1/uploads?index=photos&name=a.png', {
      method: 'POST',
      body: 'abc',
      headers: { 'content-type': 'image/png' },
    });
    assert.equal(sent.status, 201);
    assert.deepEqual(await sent.json(), { upload: 'upload-0123456789', name: 'a.png', width: 3, height: 1 });
    const body = new FormData();
    body.append('image', new File(['abcd'], 'b.png'));
    const inForm = await ask('/api/v1/uploads', { method: 'POST', body });
    assert.equal(((await inForm.json()) as { name: string }).name, 'b.png');
    assert.equal((await ask('/api/v1/uploads/upload-0123456789/thumbnail')).status, 200);
  });
});

test('what is there: server, indexes, models, images, values', async () => {
  const { ask, post } = setUp();
  const server = (await (await ask('/api/v1')).json()) as {
    indexes: { name: string }[];
    uploadBytes: number;
  };
  assert.deepEqual([server.indexes[0]!.name, server.uploadBytes], ['photos', 2 ** 26]);
  for (const path of ['/indexes', '/indexes/photos', '/models', `/indexes/photos/images/${knownId}`])
    assert.equal((await ask(`/api/v1${path}`)).status, 200, path);
  assert.equal((await ask('/api/v1/indexes/photos/images/ffffffffffffffff')).status, 404);
  const images = await post('/api/v1/indexes/photos/images', { ids: [knownId, 'ffffffffffffffff'] });
  assert.deepEqual(await images.json(), { images: [{ id: knownId, path: '/photos/a.jpg' }] });
  const values = await ask('/api/v1/indexes/photos/columns/rating/values?limit=3');
  assert.equal(values.status, 200);
});

test('pictures have names that are safe in headers, and are not sent twice', async () => {
  const { ask } = setUp();
  const path = `/api/v1/indexes/photos/images/${knownId}`;
  const original = await ask(`${path}/original`);
  assert.equal(
    original.headers.get('content-disposition'),
    'inline; filename="a _red___haus _.jpg"; filename*=UTF-8\'\'a%20%22red%22__haus%20%C3%A4.jpg',
  );
  assert.match(original.headers.get('content-security-policy')!, /^sandbox;/);
  const again = await ask(`${path}/thumbnail?size=64`, { headers: { 'if-none-match': 'W/"abc"' } });
  assert.deepEqual([again.status, again.headers.get('etag'), await again.text()], [304, '"abc"', '']);
  assert.equal((await ask(`${path}/thumbnail?size=100000`)).status, 400);
});

describe('problems', () => {
  const problemOf = async (response: Response) => {
    assert.equal(response.headers.get('content-type'), 'application/problem+json');
    const body = (await response.json()) as Record<string, unknown>;
    assert.equal(body.status, response.status);
    assert.equal(body.type, `urn:lincir:${body.code}`);
    return body;
  };

  test('name the field, and what was expected and found', async () => {
    const { post } = setUp();
    const problem = await problemOf(await post('/api/v1/search', { text: 'a', limit: 'many' }));
    assert.deepEqual([problem.status, problem.subject, problem.found], [400, 'the request: limit', '"many"']);
    const unknown = await problemOf(await post('/api/v1/search', { text: 'a', filtre: 'x' }));
    assert.match(String(unknown.detail), /filtre/);
    const much = { text: 'a', limit: 201, fields: ['vector'] };
    const large = await problemOf(await post('/api/v1/search', much));
    assert.deepEqual([large.status, large.found], [400, '201']);
    assert.equal((await post('/api/v1/search', { ...much, limit: 200 })).status, 200);
  });

  test('for what is not there, methods, sizes and content types', async () => {
    const { ask } = setUp({}, { uploadBytes: 10 });
    assert.equal((await problemOf(await ask('/api/v2'))).status, 404);
    const method = await ask('/api/v1/search');
    assert.equal((await problemOf(method)).status, 405);
    assert.equal(method.headers.get('allow'), 'POST');
    const large = await ask('/api/v1/uploads', {
      method: 'POST',
      body: 'more than ten',
      headers: { 'content-type': 'image/png' },
    });
    assert.equal((await problemOf(large)).status, 413);
    const text = await ask('/api/v1/search', { method: 'POST', body: '{"text":"a"}' });
    assert.equal((await problemOf(text)).status, 415);
    const broken = await ask('/api/v1/search', {
      method: 'POST',
      body: '{"text":',
      headers: { 'content-type': 'application/json' },
    });
    assert.equal((await problemOf(broken)).status, 400);
  });

  test('a busy server says when to come again', async () => {
    const busy = new LincirError('busy', { subject: 'a', expected: 'b', found: 'c', retryAfter: 1.2 });
    const answer = await setUp({ search: () => Promise.reject(busy) }).post('/api/v1/search', { text: 'a' });
    assert.deepEqual([answer.status, answer.headers.get('retry-after')], [503, '2']);
  });

  test('what is unexpected is for the log alone', async () => {
    const { post } = setUp({ search: () => Promise.reject(new Error('ENOENT /home/ada/secret')) });
    const problem = await problemOf(await post('/api/v1/search', { text: 'a' }));
    assert.equal(problem.status, 500);
    assert.doesNotMatch(JSON.stringify(problem), /ada/);
    const [, id] = /error ([\da-f-]{36})$/.exec(String(problem.detail))!;
    assert.ok(errors.some((line) => line.includes(id!) && line.includes('/home/ada/secret')));
  });
});

test('tells whether it lives and is ready', async () => {
  const { ask } = setUp({ readiness: async () => 'the model loads' });
  assert.equal((await ask('/health/live')).status, 200);
  const ready = await ask('/health/ready');
  assert.deepEqual([ready.status, await ready.text()], [503, 'the model loads']);
});
