/** Files of servers that give ranges, that do not, that show a page instead, and that fail. */

import assert from 'node:assert/strict';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, test } from 'node:test';
import { fileAt, filesAt } from './served-files.ts';

const block = 2 ** 23;
const size = 2 ** 26 + 1000;
const small = new TextEncoder().encode('{"a": 1}');
const asked: string[] = [];
let address: string;

/** Byte `at` of the large file. */
const byteAt = (at: number): number => (at ^ (at >> 11)) & 255;
function part(begin: number, end: number): Uint8Array {
  const bytes = new Uint8Array(end - begin);
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = byteAt(begin + at);
  return bytes;
}

type Range = readonly [begin: number, end: number] | undefined;

const answers: Readonly<Record<string, (range: Range, response: ServerResponse) => void>> = {
  '/mine/large.bin': large,
  '/mine/small.json': (_, response) => response.end(small),
  '/mine/empty.bin': (_, response) => response.end(),
  '/mine/page.json': (_, response) => response.setHeader('content-type', 'text/html').end('<html>'),
  '/whole/large.bin': (_, response) => large(undefined, response),
  '/cut/large.bin': (range, response) =>
    range ? response.writeHead(206).end('short') : large(range, response),
  '/failing/large.bin': (_, response) => response.writeHead(503).end(),
};

function large(range: Range, response: ServerResponse): void {
  if (range) response.writeHead(206).end(part(...range));
  // The reader goes away after this.
  else response.writeHead(200, { 'content-length': size }).write(part(0, 1000));
}

const server = createServer(({ url, headers }, response) => {
  const [, begin, last] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '') ?? [];
  const range: Range = begin === undefined ? undefined : [Number(begin), Number(last) + 1];
  asked.push(range ? `${url} ${range.join('-')}` : url!);
  const answer = answers[url!];
  if (answer) answer(range, response);
  else response.writeHead(404).end();
});

before(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
beforeEach(() => asked.splice(0));
after(() => {
  server.closeAllConnections();
  server.close();
});

test('fetches a small file once', async () => {
  const file = await fileAt(`${address}/mine/small.json`);
  assert.equal(file.size, small.length);
  assert.deepEqual(await file.read(1, 3), small.slice(1, 4));
  assert.equal(asked.length, 1);
  assert.equal((await fileAt(`${address}/mine/empty.bin`)).size, 0);
});

test('fetches the blocks of a large file that are read, each once while it is in memory', async () => {
  const file = (await filesAt(new URL('mine/', address)).read('large.bin'))!;
  assert.equal(file.size, size);
  const [first, second, across, last] = await Promise.all([
    file.read(10, 20),
    file.read(500, 3),
    file.read(2 * block - 5, 10),
    file.read(size - 7, 7),
  ]);
  assert.deepEqual(first, part(10, 30));
  assert.deepEqual(second, part(500, 503));
  assert.deepEqual(across, part(2 * block - 5, 2 * block + 5));
  assert.deepEqual(last, part(size - 7, size));
  const blocks = (...begins: number[]) =>
    begins.map((begin) => `/mine/large.bin ${begin}-${Math.min(begin + block, size)}`);
  assert.deepEqual(asked.slice(1).sort(), blocks(0, block, 2 * block, 8 * block).sort());
  await file.read(3 * block, 1); // takes the place of the one that was used first
  await file.read(block, 1);
  await file.read(0, 1);
  assert.deepEqual(asked.slice(5), blocks(3 * block, 0));
});

test('knows that there is no file, even where a development server shows its page', async () => {
  const files = filesAt(`${address}/mine`);
  assert.equal(await files.read('none.json'), undefined);
  assert.equal(await files.read('page.json'), undefined);
  await assert.rejects(fileAt(`${address}/mine/page.json`), { code: 'not-found' });
});

test('says what is wrong with a server', async () => {
  await assert.rejects(fileAt(`${address}/failing/large.bin`), {
    code: 'network',
    message: /large\.bin: expected an answer with the file, found status 503/,
  });
  const cut = await fileAt(`${address}/cut/large.bin`);
  await assert.rejects(cut.read(100_000, 10), { code: 'network', message: /5 of 8388608 bytes/ });
  const whole = await fileAt(`${address}/whole/large.bin`);
  await assert.rejects(whole.read(100_000, 10), { code: 'network', message: /a server that gives ranges/ });
  await assert.rejects(fileAt('http://127.0.0.1:9/phi'), { code: 'network' });
});
