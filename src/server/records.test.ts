/** Metrics, the log, and the limits that they count. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeService, knownId } from '../../test/fake-service.ts';
import { createApp } from './app.ts';
import { Metrics } from './metrics.ts';
import { defaultSettings, type ServerSettings } from './settings.ts';

const headers = {
  host: 'localhost',
  'content-type': 'application/json',
  authorization: `Bearer ${'k'.repeat(20)}`,
};
const setUp = (settings: Partial<ServerSettings>, overrides = {}) => {
  const metrics = new Metrics();
  const service = fakeService(overrides);
  const app = createApp(service, { ...defaultSettings, ...settings }, metrics);
  const search = (body: string, more: Record<string, string> = {}) =>
    app.request('/api/v1/search?q=hidden', { method: 'POST', body, headers: { ...headers, ...more } });
  return { app, metrics, search, service };
};

test('count requests by route and status, and what the service tells', async () => {
  const { app, metrics, search } = setUp({});
  await search('{"text":"secret words"}');
  await search('{"text":1}');
  await app.request(`/api/v1/indexes/photos/images/${knownId}`, { headers });
  await app.request('/wp-login.php', { headers });
  await app.request('/api/v1', { headers: { host: 'evil.example' } });
  metrics.take({ kind: 'queue', lane: 'text', waiting: 3 });
  metrics.take({ kind: 'batch', lane: 'vision', size: 8, milliseconds: 40 });
  metrics.take({ kind: 'stage', stage: 'compose', milliseconds: 7 });
  metrics.take({ kind: 'model', model: 'a', loaded: true });
  metrics.take({ kind: 'model', model: 'b', loaded: true });
  metrics.take({ kind: 'model', model: 'a', loaded: false });
  metrics.take({ kind: 'dropped', lane: 'text', reason: 'late' });
  const answer = await app.request('/metrics', { headers });
  assert.match(answer.headers.get('content-type')!, /^text\/plain; version=0\.0\.4/);
  const text = await answer.text();
  for (const line of [
    'lincir_request_seconds_count{method="POST",route="/api/v1/search",status="200"} 1',
    'lincir_request_seconds_count{method="POST",route="/api/v1/search",status="400"} 1',
    'lincir_request_seconds_count{method="GET",route="/api/v1/indexes/:index/images/:id",status="200"} 1',
    'lincir_request_seconds_count{method="GET",route="none",status="404"} 1',
    'lincir_request_seconds_count{method="GET",route="/api/v1",status="403"} 1',
    'lincir_requests_running 1',
    'lincir_queue_length{lane="text"} 3',
    'lincir_batch_size_sum{lane="vision"} 8',
    'lincir_stage_seconds_bucket{le="0.01",stage="compose"} 1',
    'lincir_models_loaded 1',
    'lincir_requests_refused_total{reason="late"} 1',
  ])
    assert.ok(text.includes(`${line}\n`), line);
  assert.doesNotMatch(text, /secret|hidden|wp-login/);
});

test('the log has a line of JSON for each request, without what was asked', async () => {
  const lines: string[] = [];
  const { app, search } = setUp({
    keys: ['k'.repeat(20)],
    knnService: { token: 'secret-part' },
    onRequest: (line) => lines.push(line),
  });
  await search('{"text":"secret words"}', { cookie: 'secret=1' });
  await app.request('/secret-part/indices-list', { headers });
  const [first, second] = lines.map((line): Record<string, unknown> => JSON.parse(line));
  assert.deepEqual(Object.keys(first!), ['time', 'method', 'route', 'status', 'milliseconds']);
  assert.deepEqual([first!.method, first!.route, first!.status], ['POST', '/api/v1/search', 200]);
  assert.deepEqual([second!.route, second!.status], ['/:token/indices-list', 200]);
  assert.doesNotMatch(lines.join(), /secret|hidden|kkk/);
});

test('requests on top of the limit are refused at once, and others answered after', async () => {
  const gate = Promise.withResolvers<void>();
  const overrides = { search: () => gate.promise.then(() => ({ images: [] })) };
  const { app, metrics, search } = setUp({ requests: 2 }, overrides);
  const waiting = [search('{"text":"a"}'), search('{"text":"b"}')];
  await new Promise(setImmediate);
  const refused = await search('{"text":"c"}');
  assert.deepEqual([refused.status, refused.headers.get('retry-after')], [503, '1']);
  assert.equal((await app.request('/health/live', { headers })).status, 200);
  assert.match(await metrics.text(), /lincir_requests_refused_total\{reason="limit"\} 1/);
  gate.resolve();
  for (const answer of await Promise.all(waiting)) assert.equal(answer.status, 200);
  assert.equal((await search('{"text":"d"}')).status, 200);
});

test('bodies have so much memory and no more, before they are read', async () => {
  const { search, app, service } = setUp({ bodyBytes: 1000, uploadBytes: 500 });
  assert.equal((await search('{"text":"a"}', { 'content-length': '1001' })).status, 503);
  let pulled = 0;
  const endless = () =>
    new ReadableStream({
      pull(controller) {
        pulled += 1;
        controller.enqueue(new Uint8Array(100));
      },
    });
  const upload = (more: Record<string, string>) =>
    app.request('/api/v1/uploads', {
      method: 'POST',
      body: endless(),
      duplex: 'half',
      headers: { ...headers, 'content-type': 'image/png', ...more },
    } as RequestInit);
  assert.equal((await upload({ 'transfer-encoding': 'chunked' })).status, 503);
  assert.ok(pulled <= 1, `${pulled}`);
  assert.equal((await upload({})).status, 413);
  assert.ok(pulled < 10, `${pulled}`);
  assert.deepEqual(service.asked, []);
});
