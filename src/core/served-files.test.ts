/** Files of servers that give ranges, that do not, that show a page instead, and that fail. */

import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, test } from 'node:test';
import { fileAt, filesAt } from './served-files.ts';

const large = Uint8Array.from({ length: 200_000 }, (_, at) => at % 251);
const small = new TextEncoder().encode('{"a": 1}');
const asked: string[] = [];
let address: string;

const answers: Readonly<Record<string, (range: [number, number], response: ServerResponse) => void>> = {
  '/ranges/large.bin': (range, response) => ranged(large, range, response),
  '/ranges/small.json': (range, response) => ranged(small, range, response),
  '/ranges/empty.bin': (_, response) => response.writeHead(416).end(),
  '/ranges/page.json': (_, response) =>
    response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
  '/whole/large.bin': (_, response) => response.writeHead(200).end(large),
  '/changing/large.bin': ([begin], response) =>
    begin === 0 ? ranged(large, [0, 65_535], response) : response.writeHead(206).end('short'),
  '/failing/large.bin': (_, response) => response.writeHead(503).end(),
};

function ranged(bytes: Uint8Array, [begin, last]: [number, number], response: ServerResponse): void {
  const end = Math.min(last + 1, bytes.length);
  response.writeHead(206, { 'content-range': `bytes ${begin}-${end - 1}/${bytes.length}` });
  response.end(bytes.subarray(begin, end));
}

const server = createServer(({ url, headers }: IncomingMessage, response) => {
  const [, begin, last] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '') ?? [];
  asked.push(`${url} ${begin}-${last}`);
  const answer = answers[url!];
  if (answer) answer([Number(begin), Number(last)], response);
  else response.writeHead(404).end();
});

before(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
beforeEach(() => asked.splice(0));
after(() => server.close());

test('fetches of a large file what is read of it', async () => {
  const file = (await filesAt(new URL('ranges', address)).read('large.bin'))!;
  assert.equal(file.size, large.length);
  assert.deepEqual(await file.read(10, 20), large.slice(10, 30));
  assert.deepEqual(await file.read(150_000, 7), large.slice(150_000, 150_007));
  assert.deepEqual(asked, ['/ranges/large.bin 0-65535', '/ranges/large.bin 150000-150006']);
});

test('fetches a small file once', async () => {
  const file = await fileAt(`${address}/ranges/small.json`);
  assert.equal(file.size, small.length);
  assert.deepEqual(await file.read(0, file.size), small.slice());
  assert.equal(asked.length, 1);
  assert.equal((await fileAt(`${address}/ranges/empty.bin`)).size, 0);
});

test('fetches the whole file once from a server without ranges', async () => {
  const file = (await filesAt(`${address}/whole/`).read('large.bin'))!;
  assert.deepEqual(await file.read(150_000, 7), large.slice(150_000, 150_007));
  assert.equal(file.size, large.length);
  assert.equal(asked.length, 1);
});

test('knows that there is no file, even where a development server shows its page', async () => {
  const files = filesAt(`${address}/ranges`);
  assert.equal(await files.read('none.json'), undefined);
  assert.equal(await files.read('page.json'), undefined);
  await assert.rejects(fileAt(`${address}/ranges/page.json`), { code: 'not-found' });
});

test('says what is wrong with a server', async () => {
  await assert.rejects(fileAt(`${address}/failing/large.bin`), {
    code: 'network',
    message: /large\.bin: expected an answer with the file, found status 503/,
  });
  const file = await fileAt(`${address}/changing/large.bin`);
  await assert.rejects(file.read(100_000, 10), { code: 'network', message: /5 of 10 bytes/ });
  await assert.rejects(fileAt('http://127.0.0.1:9/phi'), { code: 'network' });
});
