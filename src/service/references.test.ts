/** Images by their bytes and web addresses: what is fetched, and what strangers hear of it. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { bytesOfReference, largestUpload } from './references.ts';

const { signal } = new AbortController();

test('every failure of fetching sounds the same, whatever this machine can reach', async (context) => {
  let requests = 0;
  const server = createServer((_, response) => {
    requests += 1;
    response.end('secret');
  }).listen(0, '127.0.0.1');
  context.after(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const addresses = [
    `http://127.0.0.1:${port}/a.png`, // listens
    'http://127.0.0.1:1/a.png', // does not
    `http://[::ffff:127.0.0.1]:${port}/a.png`,
    `http://2130706433:${port}/a.png`,
    `http://localhost:${port}/a.png`,
    'http://169.254.169.254/latest/meta-data',
    'http://user:password@127.0.0.1/',
    'http://nothing.invalid/a.png',
  ];
  const heard = await Promise.all(
    addresses.map((url) =>
      bytesOfReference({ url }, true, signal).then(
        () => assert.fail(url),
        (error) => `${error.code} ${error.message} ${error.cause}`,
      ),
    ),
  );
  assert.equal(new Set(heard).size, 1, heard.join('\n'));
  assert.match(heard[0]!, /^bad-argument /);
  assert.equal(requests, 0);
});

test('fetches nothing if it is not allowed', async () => {
  const refused = bytesOfReference({ url: 'https://example.com/a.png' }, false, signal);
  await assert.rejects(refused, { code: 'bad-argument', message: /does not fetch/ });
});

test('measures base64 before it is decoded', async () => {
  const bytes = await bytesOfReference({ data: Buffer.from('hello').toString('base64') }, true, signal);
  assert.deepEqual(Buffer.from(bytes!).toString(), 'hello');
  const data = 'A'.repeat(Math.ceil((largestUpload * 4) / 3) + 8);
  await assert.rejects(bytesOfReference({ data }, true, signal), { code: 'bad-argument' });
});
