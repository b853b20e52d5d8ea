/** Attacks by web addresses: no request makes the server ask this machine or its network (SSRF). */
// Redirects, and names that turn to private addresses, are in src/pictures/remote.test.ts, which has an internet of its own.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { after, before, test } from 'node:test';
import sharp from 'sharp';
import { isRefusal, type Target, target } from './target.ts';

let one: Target;
let visits = 0;
const inside = createServer(async (_, response) => {
  visits += 1;
  const create = { width: 9, height: 9, channels: 3, background: 'red' } as const;
  response.writeHead(200, { 'content-type': 'image/png' });
  response.end(await sharp({ create }).png().toBuffer());
});
let port: number;
before(async () => {
  one = await target({ args: ['--knn-service'] });
  inside.listen(0, '::');
  await once(inside, 'listening');
  port = (inside.address() as AddressInfo).port;
});
after(async () => {
  inside.close();
  await one.stop();
});

const hosts = [
  ...['127.0.0.1', 'localhost', 'LOCALHOST.', '127.1', '127.0.1', '0', '0.0.0.0', '2130706433', '0x7f000001'],
  ...[
    '0x7f.0.0.1',
    '0177.0.0.1',
    '017700000001',
    '127.0.0.1.',
    '127.000.000.001',
    '%31%32%37.0.0.1',
    '①②⑦.⓪.⓪.①',
  ],
  ...['[::1]', '[::]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[0:0:0:0:0:0:0:1]', '[::127.0.0.1]'],
  ...['[64:ff9b::7f00:1]', '[2002:7f00:1::]', '[fe80::1]', '[fd00::1]', 'a.localhost', hostname()],
  ...[
    '10.0.0.1',
    '192.168.0.1',
    '172.16.0.1',
    '169.254.169.254',
    '100.64.0.1',
    '224.0.0.1',
    '255.255.255.255',
  ],
];

/** What the server says of an image at this address, at each door. */
async function saidOf(url: string): Promise<[status: number, text: string][]> {
  const said = async (path: string, body: unknown): Promise<[number, string]> => {
    const answer = await one.post(path, JSON.stringify(body));
    return [answer.status, await answer.text()];
  };
  const search = { name: 'search_images', arguments: { images: [url] } };
  return await Promise.all([
    ...['search', 'compose', 'embed'].map((path) => said(`api/v1/${path}`, { images: [{ url }] })),
    said('api/v1/search', { text: 'a', more: [{ url }] }),
    said('knn-service', { image_url: url, modality: 'image', num_images: 1, indice_name: '' }),
    said('mcp', { jsonrpc: '2.0', id: 1, method: 'tools/call', params: search }),
  ]);
}

test('no spelling of this machine or its network is asked, and all get the same answer', async () => {
  const closed = await saidOf('http://127.0.0.1:1/a.png');
  for (const [status, text] of closed) assert.ok(isRefusal(status, text), `${status} ${text}`);
  for (const host of hosts) {
    const url = `http://${host}:${port}/a.png`;
    if (!URL.canParse(url)) continue;
    const answers = await saidOf(url);
    // Whether a port is open, and what it says, stays inside.
    assert.deepEqual(answers, closed, url);
  }
  assert.equal(visits, 0);
  await one.expectWell();
});

test('nothing but the web is asked, and no password is sent', async () => {
  for (const url of [
    ...[
      `ftp://127.0.0.1:${port}/a`,
      'file:///etc/hostname',
      `gopher://127.0.0.1:${port}/_x`,
      'javascript:alert(1)',
    ],
    ...[
      `http://me:secret@127.0.0.1:${port}/`,
      `http://127.0.0.1:${port}#@example.org/`,
      '//127.0.0.1/',
      'http://',
    ],
    ...[
      `http:\\\\127.0.0.1:${port}`,
      `http:127.0.0.1:${port}`,
      `\nhttp://127.0.0.1:${port}`,
      `http://a\0.example/`,
    ],
    ...[
      `HTTP://127.0.0.1:${port}/`,
      `data:image/png;base64,AAAA`,
      'blob:http://127.0.0.1/x',
      `unix:/run/x.sock`,
    ],
  ]) {
    for (const [status, text] of await saidOf(url)) {
      assert.ok(isRefusal(status, text), `${url}: ${status} ${text}`);
      assert.doesNotMatch(text, /secret/);
    }
  }
  assert.equal(visits, 0);
  await one.expectWell();
});
