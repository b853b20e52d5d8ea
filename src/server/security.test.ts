/** Who is let in: every route, asked by other names, other sites, with and without keys. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Hono } from 'hono';
import { fakeService, knownId } from '../../test/fake-service.ts';
import { LincirError } from '../core/index.ts';
import type { SearchService } from '../service/index.ts';
import { apiPageRoutes } from './api-page.ts';
import { createApp } from './app.ts';
import { expectGuarded } from './exposure.ts';
import { pageRoutes } from './page.ts';
import { defaultSettings, type ServerSettings } from './settings.ts';

const key = 'a-key-of-32-characters-and-more-0';
const site = 'https://example.org';

const setUp = (settings: Partial<ServerSettings> = {}, methods: Partial<SearchService> = {}) => {
  const service = fakeService(methods);
  const app = createApp(service, { ...defaultSettings, ...settings });
  const ask = async (path: string, { headers = {}, ...init }: RequestInit = {}) =>
    app.request(path, {
      ...init,
      headers: { host: 'localhost:5462', ...(headers as Record<string, string>) },
    });
  const routes = app.routes.filter(({ path }) => !path.includes('*'));
  return { app, ask, service, routes };
};

/** An address for a route's pattern. */
const addressOf = (path: string): string =>
  path
    .replace(':index', 'photos')
    .replace(':id', knownId)
    .replace(':column', 'rating')
    .replace(':upload', 'upload-0123456789')
    .replaceAll(/:\w+/g, 'x');

/** A request that the route would answer, but for its headers. */
const requestOf = (method: string): RequestInit =>
  method === 'POST'
    ? { method, body: '{"text":"a"}', headers: { 'content-type': 'application/json' } }
    : { method: method === 'ALL' ? 'POST' : method };

describe('every route', () => {
  const { ask, routes, service } = setUp();
  assert.ok(routes.length > 12);
  const refused = async (headers: Record<string, string>) => {
    for (const { method, path } of routes) {
      const request = requestOf(method);
      const answer = await ask(addressOf(path), { ...request, headers: { ...request.headers, ...headers } });
      assert.equal(answer.status, 403, `${method} ${path} ${JSON.stringify(headers)}`);
      assert.equal(answer.headers.get('content-type'), 'application/problem+json');
      assert.equal(answer.headers.get('access-control-allow-origin'), null);
    }
    assert.deepEqual(service.asked, []);
  };

  test('refuses other names, which an attacker may have turned to this machine', async () => {
    for (const host of [
      'evil.example',
      'evil.example:5462',
      'localhost.evil.example',
      'localhost:5462@evil.example',
      'evil.example#localhost',
      '127.0.0.1.nip.io',
      '127.0.0.2',
      '127.1',
      '2130706433',
      '0.0.0.0:5462',
      '[::]:5462',
      '[::ffff:127.0.0.1]',
      'localhost, evil.example',
      '',
    ])
      await refused({ host });
  });

  test('refuses other origins, even of this machine', async () => {
    for (const origin of [
      site,
      'http://localhost:3000',
      'http://localhost',
      'https://localhost:5463',
      'http://evil.localhost:5462',
      'http://127.0.0.1:5462',
      'null',
      'http://localhost:5462.evil.example',
      'http://localhost:5462/',
      '',
    ])
      await refused({ origin });
  });

  test('refuses what a page of another site loads without saying who it is', async () => {
    for (const place of ['cross-site', 'same-site'])
      for (const [mode, destination] of [
        ['no-cors', 'image'],
        ['no-cors', 'script'],
        ['navigate', 'iframe'],
        ['navigate', 'embed'],
      ] as const)
        await refused({
          'sec-fetch-site': place,
          'sec-fetch-mode': mode,
          'sec-fetch-dest': destination,
          referer: `${site}/page`,
        });
  });

  test('wants a key if there are keys', async () => {
    const guarded = setUp({ keys: ['another-key-0123456789', key] });
    const pages = pageRoutes().routes.map(({ path }) => path);
    const apiPage = new Hono().route('/api', apiPageRoutes()).routes.map(({ path }) => path);
    const open = ['/health/live', '/health/ready', '/api/v1/session', ...pages, ...apiPage];
    for (const { method, path } of guarded.routes) {
      if (open.includes(path)) continue;
      for (const authorization of [
        undefined,
        'Bearer wrong',
        `Basic ${btoa(`lincir:${key}`)}`,
        key,
        `Bearer ${key}x`,
        `Bearer ${key.slice(1)}`,
        `Bearer x, Bearer ${key}`,
      ]) {
        const request = requestOf(method);
        const answer = await guarded.ask(`${addressOf(path)}?key=${key}`, {
          ...request,
          headers: { ...(request.headers as object), ...(authorization && { authorization }) },
        });
        assert.equal(answer.status, 401, `${method} ${path} ${authorization}`);
        assert.match(answer.headers.get('www-authenticate')!, /^Bearer/);
        assert.ok(!(await answer.text()).includes(key));
      }
    }
    assert.deepEqual(guarded.service.asked, []);
    for (const one of [key, 'another-key-0123456789'])
      assert.equal(
        (await guarded.ask('/api/v1', { headers: { authorization: `Bearer ${one}` } })).status,
        200,
      );
    for (const path of ['/health/live', '/health/ready'])
      assert.equal((await guarded.ask(path)).status, 200, path);
    const away = setUp({ keys: [key] }, { readiness: async () => 'index photos: secret.host is away' });
    const ready = await away.ask('/health/ready');
    assert.deepEqual([ready.status, await ready.text()], [503, 'not ready']);
  });

  test('says to browsers that nothing is to be trusted', async () => {
    for (const { method, path } of routes) {
      const { headers } = await ask(addressOf(path), requestOf(method));
      assert.equal(headers.get('x-content-type-options'), 'nosniff', path);
      assert.equal(headers.get('cross-origin-resource-policy'), 'same-origin', path);
      assert.match(headers.get('content-security-policy')!, /default-src 'none'/, path);
      assert.doesNotMatch(headers.get('content-security-policy')!, /script-src[^;]*unsafe/, path);
    }
  });
});

test('its own names, tunnels and pages are let in', async () => {
  const { ask } = setUp();
  for (const host of ['localhost', 'LOCALHOST:5462', 'localhost.:5462', '127.0.0.1:9000', '[::1]:5462'])
    assert.equal((await ask('/api/v1', { headers: { host } })).status, 200, host);
  for (const headers of [
    { origin: 'http://localhost:5462' },
    { origin: 'https://localhost:5462', 'sec-fetch-site': 'same-origin' },
    { 'sec-fetch-site': 'none' },
    { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' },
  ])
    assert.equal((await ask('/api/v1', { headers })).status, 200, JSON.stringify(headers));
});

test('allowed hosts count with any port, or with theirs', async () => {
  const { ask } = setUp({ allowedHosts: ['Images.example.org', 'nas.local:8443', '[fd00::1]'] });
  const status = async (host: string) => (await ask('/api/v1', { headers: { host } })).status;
  for (const host of ['images.example.org', 'images.example.org:81', 'nas.local:8443', '[FD00::1]:5462'])
    assert.equal(await status(host), 200, host);
  for (const host of ['nas.local', 'nas.local:80', 'example.org', 'ximages.example.org', '[fd00::2]'])
    assert.equal(await status(host), 403, host);
});

describe('an allowed origin', () => {
  const { ask } = setUp({ allowedOrigins: [site] });

  test('may ask, after it has asked whether it may', async () => {
    const preflight = await ask('/api/v1/search', {
      method: 'OPTIONS',
      headers: {
        origin: site,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type',
      },
    });
    assert.equal(preflight.status, 204);
    assert.equal(preflight.headers.get('access-control-allow-origin'), site);
    assert.equal(preflight.headers.get('access-control-allow-credentials'), null);
    assert.match(preflight.headers.get('access-control-allow-headers')!, /authorization/);
    const answer = await ask('/api/v1', { headers: { origin: site, 'sec-fetch-site': 'cross-site' } });
    assert.deepEqual([answer.status, answer.headers.get('access-control-allow-origin')], [200, site]);
    assert.match(answer.headers.get('vary')!, /origin/i);
  });

  test('may show pictures, and nothing else without saying who it is', async () => {
    const path = `/api/v1/indexes/photos/images/${knownId}/thumbnail`;
    const headers = {
      'sec-fetch-site': 'cross-site',
      'sec-fetch-mode': 'no-cors',
      'sec-fetch-dest': 'image',
    };
    const shown = await ask(path, { headers: { ...headers, referer: `${site}/` } });
    assert.deepEqual(
      [shown.status, shown.headers.get('cross-origin-resource-policy')],
      [200, 'cross-origin'],
    );
    for (const referer of ['https://example.org.evil.example/', 'not an address', `${site}:444/`])
      assert.equal((await ask(path, { headers: { ...headers, referer } })).status, 403, referer);
    const script = { ...headers, 'sec-fetch-dest': 'script', referer: `${site}/` };
    assert.equal((await ask('/api/v1', { headers: script })).status, 403);
  });
});

test('text that claims to be nothing else does not reach the API', async () => {
  const { ask, service } = setUp();
  for (const type of [
    'text/plain',
    'text/plain;charset=UTF-8',
    'application/x-www-form-urlencoded',
    'text/json',
  ])
    for (const path of ['/search', '/compose', '/embed', '/uploads', '/indexes/photos/images']) {
      const init = { method: 'POST', body: '{"text":"a"}', headers: { 'content-type': type } };
      assert.equal((await ask(`/api/v1${path}`, init)).status, 415, `${path} ${type}`);
    }
  assert.deepEqual(service.asked, []);
});

describe('a page signs in', () => {
  const { ask } = setUp({ keys: [key] });
  const signIn = async (headers: Record<string, string> = {}) => {
    const answer = await ask('/api/v1/session', {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, origin: 'http://localhost:5462', ...headers },
    });
    return { status: answer.status, set: answer.headers.get('set-cookie') };
  };
  const status = async (headers: Record<string, string>) => (await ask('/api/v1', { headers })).status;

  test('with a key, and gets a cookie that no script and no other site sees', async () => {
    assert.deepEqual(await signIn({ authorization: 'Bearer wrong' }), { status: 401, set: null });
    const { set } = await signIn();
    assert.match(
      set!,
      /^lincir-session-5462=\d+\.[\w-]{43}; Max-Age=43200; Path=\/; HttpOnly; SameSite=Strict$/,
    );
    assert.ok(!set!.includes(key));
    const cookie = set!.split(';')[0]!;
    assert.equal(await status({ cookie }), 200);
    assert.equal(await status({ cookie, 'sec-fetch-site': 'same-origin' }), 200);
    assert.equal(await status({ cookie, origin: 'http://localhost:3000' }), 403);
    const [name, value] = cookie.split('=');
    const [end, signature] = value!.split('.');
    for (const forged of [
      `${Number(end) + 1}.${signature}`,
      `${end}.${signature!.slice(1)}`,
      `${end}.`,
      `0.${signature}`,
      key,
    ])
      assert.equal(await status({ cookie: `${name}=${forged}` }), 401, forged);
  });

  test('for all servers that have the key', async () => {
    const cookie = (await signIn()).set!.split(';')[0]!;
    const elsewhere = async (...keys: string[]) =>
      (await setUp({ keys }).ask('/api/v1', { headers: { cookie } })).status;
    assert.equal(await elsewhere('another-key-0123456789', key), 200);
    assert.equal(await elsewhere('another-key-0123456789'), 401);
  });

  test('over TLS, gets a cookie for TLS alone', async () => {
    assert.match((await signIn({ origin: 'https://localhost:5462' })).set!, /; Secure/);
  });

  test('until its session ends', async (context) => {
    context.mock.timers.enable({ apis: ['Date'], now: Date.now() });
    const cookie = (await signIn()).set!.split(';')[0]!;
    context.mock.timers.tick(12 * 60 * 60 * 1000 - 1000);
    assert.equal(await status({ cookie }), 200);
    context.mock.timers.tick(2000);
    assert.equal(await status({ cookie }), 401);
  });

  test('and out', async () => {
    const answer = await ask('/api/v1/session', {
      method: 'DELETE',
      headers: { origin: 'http://localhost:5462' },
    });
    assert.match(answer.headers.get('set-cookie')!, /^lincir-session-5462=; Max-Age=0;/);
  });
});

test('listening beyond this machine takes a key and a name, spelled out', () => {
  const expect = (settings: Partial<ServerSettings>) => () =>
    expectGuarded({ ...defaultSettings, ...settings });
  for (const host of ['127.0.0.1', 'localhost', '::1', '127.8.8.8']) assert.doesNotThrow(expect({ host }));
  for (const host of ['0.0.0.0', '::', '192.168.1.5', 'nas.local', '', '127.example.org']) {
    const names = { host, allowedHosts: ['nas.local'] };
    assert.throws(expect({ host, keys: [key] }), { code: 'bad-argument', message: /allowedHosts/ });
    assert.throws(expect(names), { code: 'bad-argument', message: /expected keys/ });
    assert.doesNotThrow(expect({ ...names, keys: [key] }));
    assert.doesNotThrow(expect({ ...names, withoutKey: true }));
  }
});

test("where there are keys, clip-retrieval's clients need a secret address", () => {
  const settings = { ...defaultSettings, keys: [key] };
  assert.throws(() => expectGuarded({ ...settings, knnService: true }), {
    message: /secret part of its address/,
  });
  assert.doesNotThrow(() => expectGuarded({ ...settings, knnService: { token: key } }));
  assert.doesNotThrow(() => expectGuarded({ ...defaultSettings, knnService: true }));
});

test('settings that are no names and origins are refused', () => {
  for (const allowedHosts of [['*'], ['http://a.org'], ['a b'], ['']])
    assert.throws(() => setUp({ allowedHosts }), LincirError, String(allowedHosts));
  for (const allowedOrigins of [
    ['*'],
    ['null'],
    ['https://a.org/'],
    ['a.org'],
    ['https://*.a.org'],
    ['file://'],
  ])
    assert.throws(() => setUp({ allowedOrigins }), LincirError, String(allowedOrigins));
});
