/** `lincir serve` as a process: what it prints, whom it waits for, and how it ends. */

import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import {
  composeAnswer,
  createClient,
  embedAnswer,
  indexedImage,
  modelAnswer,
  searchAnswer,
  serverAnswer,
  uploadAnswer,
  valuesAnswer,
} from '../src/api/index.ts';
import { lincir, start } from './command-line.ts';

const images = join(import.meta.dirname, '../examples/pictures');
const key = 'a-key-that-nobody-guesses';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lincir-serve-'));
  await writeFile(join(folder, 'keys.txt'), `another-key-of-somebody\n\n${key}\n`);
  const { code, stderr } = await lincir(['index', images, '--index', 'pictures.lance', '--model', 'mini'], {
    folder,
  });
  assert.equal(code, 0, stderr);
});
after(() => rm(folder, { recursive: true }));

/** A server that listens. */
async function serving(...args: string[]) {
  const child = start(['serve', '--port', '0', ...args], { folder });
  const stdout = text(child.stdout!);
  const lines: string[] = [];
  const url = await new Promise<string>((resolve, reject) => {
    createInterface(child.stderr!).on('line', (line) => {
      lines.push(line);
      const [, address] = /(http:\S+)/.exec(line) ?? [];
      if (address !== undefined) resolve(address);
    });
    child.once('exit', () => reject(new Error(lines.join('\n'))));
  });
  return { child, url, lines, stdout };
}

async function ended(child: ChildProcess): Promise<number | string | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child.exitCode ?? child.signalCode;
}

async function connected(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

/** Sends raw bytes, and reads until the server hangs up. */
async function rawAnswer(url: string, bytes: string): Promise<string> {
  const socket = await connected(url);
  socket.write(bytes);
  let answer = '';
  socket.setEncoding('latin1').on('data', (part) => {
    answer += part;
  });
  await once(socket, 'close');
  return answer;
}

describe('a server', () => {
  let server: Awaited<ReturnType<typeof serving>>;
  before(async () => {
    server = await serving('--index', 'mine=pictures.lance', '--api-key-file', 'keys.txt', '--log');
  });
  after(() => server.child.kill('SIGKILL'));

  test('answers clients that have a key', async () => {
    const client = createClient({ url: server.url, key });
    const [index] = (await client.server()).indexes;
    assert.deepEqual([index!.name, index!.images], ['mine', 6]);
    const answer = await client.search({ text: 'a red house', limit: 2, fields: ['vector', 'metadata'] });
    const { images: found } = answer;
    assert.equal(found.length, 2);
    const upload = await client.upload(await readFile(join(images, 'house-with-red-roof.png')));
    // As it is described, and nothing else.
    for (const [described, one] of [
      [serverAnswer, await client.server()],
      [modelAnswer, (await client.models())[0]],
      [searchAnswer, answer],
      [composeAnswer, await client.compose({ images: [upload].map(({ upload }) => ({ upload })) })],
      [embedAnswer, await client.embed({ texts: ['a'], images: [{ id: found[0]!.id }] })],
      [uploadAnswer, upload],
      [indexedImage, await client.image('mine', found[0]!.id)],
      [valuesAnswer, await client.values('mine', 'width')],
    ] as const)
      assert.deepEqual(described.parse(one), one);
    const thumbnail = await client.thumbnail('mine', found[0]!.id);
    assert.deepEqual([...thumbnail.subarray(0, 2)], [0xff, 0xd8]);
    await assert.rejects(createClient({ url: server.url }).server(), { status: 401 });
  });

  test('refuses floods of headers, and what is no HTTP, and goes on', async () => {
    const long = `GET /api/v1 HTTP/1.1\r\nhost: localhost\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`;
    assert.match(await rawAnswer(server.url, long), /^HTTP\/1\.1 431 /);
    assert.match(await rawAnswer(server.url, 'GET / HTTP/1.1\r\n\r\n'), /^HTTP\/1\.1 400 /);
    assert.match(
      await rawAnswer(server.url, '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n'),
      /^HTTP\/1\.1 400 /,
    );
    const smuggled =
      'POST /api/v1/search HTTP/1.1\r\nhost: localhost\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n';
    assert.match(await rawAnswer(server.url, smuggled), /^HTTP\/1\.1 400 /);
    assert.equal((await fetch(new URL('/health/live', server.url))).status, 200);
  });

  test('answers what it has begun when it is told to stop, and ends with 0', async () => {
    const client = createClient({ url: server.url, key });
    const idle = await connected(server.url);
    const answers = Promise.all(
      Array.from({ length: 8 }, (_, at) => client.search({ text: `a red house ${at}`, limit: 1 })),
    );
    await client.server();
    server.child.kill('SIGTERM');
    for (const answer of await answers) assert.equal(answer.images.length, 1);
    assert.equal(await ended(server.child), 0);
    idle.destroy();
    await assert.rejects(fetch(server.url));
    assert.deepEqual(server.lines, [`lincir serve: ${server.url}`, 'stopping: what is begun is answered']);
    const log = (await server.stdout)
      .trim()
      .split('\n')
      .map((line): Record<string, unknown> => JSON.parse(line));
    assert.ok(log.some(({ route, status }) => route === '/api/v1/search' && status === 200));
    assert.doesNotMatch(JSON.stringify(log), new RegExp(`${key}|red house`));
  });
});

test('without an index, it says so, and the page still opens', async () => {
  const { child, url } = await serving();
  const client = createClient({ url });
  assert.deepEqual((await client.server()).indexes, []);
  await assert.rejects(client.search({ text: 'a' }), { status: 404, code: 'not-found' });
  child.kill('SIGINT');
  assert.equal(await ended(child), 0);
});

test('refuses what it cannot do before it loads anything', async () => {
  const { child, url } = await serving();
  const { port } = new URL(url);
  const refused = async (...args: string[]) => {
    const { code, stdout, stderr } = await lincir(['serve', ...args], { folder });
    assert.deepEqual([code, stdout], [2, '']);
    return stderr;
  };
  assert.match(
    await refused('--port', port),
    /^lincir: --port: expected a free port, found \d+, which another program has/,
  );
  child.kill('SIGTERM');
  assert.match(
    await refused('--host', '0.0.0.0'),
    /^lincir: --host 0\.0\.0\.0: expected keys.*--api-key-file/,
  );
  assert.match(await refused('--host', '0.0.0.0', '--api-key-file', 'keys.txt'), /--allowed-host/);
  assert.match(
    await refused('--allowed-origin', 'example.org'),
    /^lincir: --allowed-origin: expected an origin/,
  );
  assert.match(await refused('--index', 'a=x', 'a=y'), /^lincir: --index: expected different names/);
  await writeFile(join(folder, 'short.txt'), 'secret');
  const short = await refused('--api-key-file', 'short.txt');
  assert.match(short, /^lincir: short\.txt: key 1: expected a key of 16/);
  assert.doesNotMatch(short, /secret/);
  assert.equal(await ended(child), 0);
});

test('makes an index that is not there, fills it for a client, and ends in order meanwhile', async () => {
  const options = ['--index', 'new.lance', '--folder', images, '--allow-indexing'];
  const { code, stderr } = await lincir(['serve', ...options], { folder });
  assert.equal(code, 1);
  assert.match(stderr, /new\.lance.*; give --model for a new index, such as --model base/);
  const { child, url, lines } = await serving(...options, '--model', 'mini');
  assert.match(lines.join('\n'), /new\.lance is new and empty/);
  const client = createClient({ url });
  assert.equal((await client.index('new')).images, 0);
  const { running } = await client.startIndexing();
  assert.deepEqual([running?.index, running?.folders], ['new', [images]]);
  child.kill('SIGTERM');
  assert.equal(await ended(child), 0);
  // Nobody holds the index any more.
  const again = await lincir(['index', images, '--index', 'new.lance', '--json'], { folder });
  assert.equal(again.code, 0, again.stderr);
});
