/** Attacks by what a request is made of: names, origins, addresses, headers, keys, and bytes that are no HTTP. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { statusOf, type Target, target } from './target.ts';

let one: Target;
before(async () => {
  one = await target({ args: ['--knn-service', '--log'] });
});
after(() => one.stop());

const own = () => `localhost:${one.port}`;
const request = (line: string, headers: readonly string[], body = '') =>
  [line, ...headers, 'Connection: close', `Content-Length: ${body.length}`, '', body].join('\r\n');

/** A question at each door: the API, assistants, clients of clip-retrieval. */
const doors = [
  ['/api/v1/search', '{"text":"a house"}'],
  ['/knn-service', '{"text":"a house","modality":"image","num_images":1,"indice_name":""}'],
  ['/mcp', '{"jsonrpc":"2.0","id":1,"method":"tools/list"}'],
] as const;
const accept = 'Accept: application/json, text/event-stream';

test('no site turns its own name to this machine (DNS rebinding)', async () => {
  for (const [path, body] of doors) {
    const status = async (line: string, headers: string[]) =>
      statusOf(await one.raw(request(line, [accept, 'Content-Type: application/json', ...headers], body)));
    assert.equal(await status(`POST ${path} HTTP/1.1`, [`Host: ${own()}`]), 200, path);
    for (const host of [
      'evil.example',
      `evil.example:${one.port}`,
      '',
      `a@localhost:${one.port}`,
      '0.0.0.0',
    ]) {
      assert.ok([400, 403].includes(await status(`POST ${path} HTTP/1.1`, [`Host: ${host}`])), host);
    }
    assert.ok([400, 403].includes(await status(`POST ${path} HTTP/1.1`, [])), 'without a name');
    assert.ok(
      [400, 403].includes(await status(`POST ${path} HTTP/1.1`, ['Host: evil.example', `Host: ${own()}`])),
    );
    // The name in the address counts for HTTP, the header for us: neither may be a stranger's.
    const absolute = await status(`POST http://evil.example${path} HTTP/1.1`, ['Host: evil.example']);
    assert.ok([400, 403].includes(absolute), String(absolute));
  }
  await one.expectWell();
});

test('no page of another site asks in our name (CSRF)', async () => {
  const types = [
    'text/plain',
    'application/json',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=a',
  ];
  for (const [path, body] of doors) {
    for (const type of types) {
      for (const from of [
        ['Origin: https://evil.example'],
        ['Origin: null'],
        ['Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: no-cors', 'Sec-Fetch-Dest: empty'],
        ['Sec-Fetch-Site: same-site', 'Sec-Fetch-Mode: navigate', 'Sec-Fetch-Dest: document'],
      ]) {
        const headers = [`Host: ${own()}`, accept, `Content-Type: ${type}`, ...from];
        const answer = await one.raw(request(`POST ${path} HTTP/1.1`, headers, body));
        assert.equal(statusOf(answer), 403, `${path} ${type} ${from}`);
        assert.doesNotMatch(answer, /access-control-allow/i);
      }
    }
  }
});

describe('no address leads out of what is served', () => {
  const ways = [
    '/../../../../etc/passwd',
    '/..%2f..%2f..%2fetc%2fpasswd',
    '/%2e%2e/%2e%2e/etc/passwd',
    '/%252e%252e%252f%252e%252e%252fetc%252fpasswd',
    '/..%5c..%5cetc%5cpasswd',
    '/..\\..\\package.json',
    '/%5c%5cserver%5cshare%5ca.png',
    '//server/share',
    '/%00',
    '/photos%00.png',
    '/%c0%ae%c0%ae/package.json',
    '/....//....//package.json',
    '/%ff',
    '/.git/config',
    '/package.json',
    '/@fs/etc/passwd',
  ];

  test('at any route', async () => {
    const bases = [
      '',
      '/assets',
      '/api',
      '/api/v1',
      '/api/v1/indexes',
      '/api/v1/uploads',
      '/knn-image',
      '/mcp',
    ];
    const images = `/api/v1/indexes/photos/images`;
    const all = [
      ...bases.flatMap((base) => ways.map((way) => base + way)),
      ...ways.map((way) => `/api/v1/indexes${way}/images/${one.place.ids[0]}/original`),
      ...ways.flatMap((way) => ['/original', '/thumbnail', ''].map((end) => `${images}${way}${end}`)),
      ...ways.map((way) => `/api/v1/indexes/photos/columns${way}/values`),
      ...ways.map((way) => `/api/v1/uploads${way}/thumbnail`),
      ...ways.map((way) => `/knn-image/photos${way}`),
    ];
    for (const path of all) {
      const answer = await one.raw(request(`GET ${path} HTTP/1.1`, [`Host: ${own()}`]));
      const status = statusOf(answer);
      assert.ok(status >= 400 && status < 500, `${path}: ${status}`);
      assert.doesNotMatch(answer, /root:|"devDependencies"|\[core\]/);
    }
    await one.expectWell();
  });

  test('nor does any field', async () => {
    const names = [
      ...['/etc/passwd', '../0.png', 'file:///etc/passwd', '\\\\server\\share', `${one.place.ids[0]}\0`, ''],
      ...[join(one.place.photos, '0.png'), `${one.place.ids[0]}/../${one.place.ids[1]}`, '0.png'],
    ];
    for (const name of names) {
      const bodies: [path: string, body: unknown][] = [
        ...['id', 'upload', 'url', 'path', 'data', 'file'].map((field): [string, unknown] => [
          'api/v1/search',
          { images: [{ [field]: name }] },
        ]),
        ['api/v1/search', { images: [name] }],
        ['api/v1/search', { text: 'a', index: name || '..' }],
        ['api/v1/embed', { images: [{ id: name }] }],
        ['api/v1/indexes/photos/images', { ids: [name] }],
        ['knn-service', { image_url: name || 'x', modality: 'image', num_images: 1, indice_name: '' }],
        ['metadata', { ids: [name], indice_name: 'photos' }],
      ];
      for (const [path, body] of bodies) {
        const answer = await one.post(path, JSON.stringify(body));
        const text = await answer.text();
        assert.ok(answer.status >= 400 || text === '[]', `${path} ${JSON.stringify(body)}: ${text}`);
        assert.doesNotMatch(text, /root:/);
      }
    }
    assert.equal(
      (await one.post('api/v1/search', JSON.stringify({ images: [{ id: one.place.ids[0] }] }))).status,
      200,
    );
  });
});

test('bytes that are no request, and requests that mean two things, end alone', async () => {
  const host = `Host: ${own()}`;
  const hostile = [
    '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'GET /\r\n\r\n',
    'A'.repeat(100_000),
    `GET / HTTP/1.1\r\n${host}\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`,
    `GET / HTTP/1.1\r\n${host}\r\n${'X: y\r\n'.repeat(10_000)}\r\n`,
    `GET /${'z'.repeat(20_000)} HTTP/1.1\r\n${host}\r\n\r\n`,
    `POST /mcp HTTP/1.1\r\n${host}\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    `POST /mcp HTTP/1.1\r\n${host}\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcde`,
    `POST /mcp HTTP/1.1\r\n${host}\r\nContent-Length: -1\r\n\r\n`,
    `POST /mcp HTTP/1.1\r\n${host}\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n`,
    `GET / HTTP/1.1\r\n${host}\r\nX : y\r\n\r\n`,
    `GET / HTTP/1.1\r\n${host}\r\nX: a\0b\r\n\r\n`,
    `CONNECT evil.example:443 HTTP/1.1\r\n${host}\r\n\r\n`,
    `OPTIONS * HTTP/1.1\r\n${host}\r\nConnection: close\r\n\r\n`,
    `TRACE / HTTP/1.1\r\n${host}\r\nCookie: secret=1\r\nConnection: close\r\n\r\n`,
    `GET /mcp HTTP/1.1\r\n${host}\r\nConnection: close\r\n\r\n`,
  ];
  for (const bytes of hostile) {
    const answer = await one.raw(bytes);
    const status = statusOf(answer);
    assert.ok(status === 0 || (status >= 400 && status < 500), `${bytes.slice(0, 80)}: ${status}`);
    assert.doesNotMatch(answer, /secret=1/);
  }
  await one.expectWell();
});

test('clients that send slowly do not keep others out', async () => {
  const sockets: Socket[] = [];
  try {
    for (let number = 0; number < 300; number += 1) {
      const socket = connect(one.port, '127.0.0.1').on('error', () => {});
      sockets.push(socket);
      socket.write(
        number % 2
          ? `GET / HTTP/1.1\r\nHost: ${own()}\r\nX-`
          : `POST /api/v1/search HTTP/1.1\r\nHost: ${own()}\r\nContent-Type: application/json\r\nContent-Length: 9000\r\n\r\n{`,
      );
    }
    await Promise.all(sockets.map((socket) => socket.connecting && once(socket, 'connect')));
    await one.expectWell();
  } finally {
    for (const socket of sockets) socket.destroy();
  }
  await one.expectWell();
});

describe('a key', () => {
  const key = 'a-secret-key-that-nobody-may-see-0123';
  let guarded: Target;
  before(async () => {
    guarded = await target({
      args: ['--api-key-file', 'keys.txt', '--log'],
      headers: { authorization: `Bearer ${key}` },
      prepare: async ({ photos }) => await writeFile(join(photos, '..', 'keys.txt'), `${key}\n`),
    });
  });
  after(() => guarded.stop());

  test('in an address, a form or a cookie opens nothing', async () => {
    for (const query of ['key', 'api_key', 'apikey', 'token', 'access_token', 'authorization']) {
      for (const path of ['api/v1', 'mcp', 'metrics']) {
        const url = new URL(`${path}?${query}=${key}`, guarded.url);
        assert.ok([401, 404].includes((await fetch(url)).status), String(url));
        assert.ok([401, 404].includes((await fetch(url, { headers: { cookie: `${query}=${key}` } })).status));
      }
    }
    const body = new URLSearchParams({ key });
    assert.equal((await fetch(new URL('api/v1/session', guarded.url), { method: 'POST', body })).status, 401);
    await guarded.expectWell();
  });

  test('is not printed, nor answered, whatever goes wrong', async () => {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
    for (const path of ['api/v1/search', 'mcp', 'api/v1/nothing', `api/v1/indexes/${key}`]) {
      const answer = await fetch(new URL(path, guarded.url), { method: 'POST', headers, body: '{' });
      const text = await answer.text();
      if (!path.includes(key)) assert.ok(!text.includes(key), text);
    }
    const wrong = `${key.slice(0, -1)}x`;
    const answer = await fetch(new URL('api/v1', guarded.url), {
      headers: { authorization: `Bearer ${wrong}` },
    });
    assert.ok(!(await answer.text()).includes(wrong));
    await fetch(new URL(`api/v1?key=${key}`, guarded.url));
    const printed = guarded.printed();
    assert.ok(!printed.replaceAll(`indexes/${key}`, '').includes(key), printed);
    assert.ok(!printed.includes(wrong));
  });
});
