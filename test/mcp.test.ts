/** `lincir mcp` as assistants start it, and `/mcp` of `lincir serve`, with the official client. */

import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { start } from './command-line.ts';
import { type PlaceToServe, placeToServe } from './served.ts';

const main = join(import.meta.dirname, '../src/cli/main.ts');
const versions = ['2025-06-18', '2025-11-25', '2026-07-28'] as const;
type Version = (typeof versions)[number];

let folder: string;
let place: PlaceToServe;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lincir-mcp-'));
  place = await placeToServe(folder, 6);
});
after(() => rm(folder, { recursive: true }));

const indexArguments = () => ['--index', `photos=${place.uri}`, '--phi', place.phi];

function newClient(version: Version): Client {
  return new Client(
    { name: 'test', version: '1' },
    version.startsWith('2026')
      ? { versionNegotiation: { mode: { pin: version } } }
      : { supportedProtocolVersions: [version] },
  );
}

function stdio(): StdioClientTransport {
  const args = [main, 'mcp', ...indexArguments()];
  const env = { ...process.env } as Record<string, string>;
  return new StdioClientTransport({ command: process.execPath, args, env, stderr: 'pipe', cwd: folder });
}

/** All that an assistant does: looks, asks with an image and words, and looks at what it has found. */
async function useAll(client: Client): Promise<void> {
  const call = async (name: string, args: Record<string, unknown>) => {
    const answer = await client.callTool({ name, arguments: args });
    assert.equal(answer.isError, undefined, JSON.stringify(answer.content));
    return answer;
  };
  assert.equal((await client.listTools()).tools.length, 3);
  const told = (await call('describe_index', {})).structuredContent as {
    columns: { name: string; examples: unknown[] }[];
    methods: { name: string }[];
  };
  assert.ok(told.methods.some(({ name }) => name === 'lincir'));
  assert.deepEqual(told.columns.find(({ name }) => name === 'width')?.examples, [24]);
  const asked = {
    images: [place.ids[2]],
    text: 'at night',
    filter: "path like '%.png' and width = 24",
    limit: 3,
  };
  const found = (await call('search_images', asked)).structuredContent as {
    method: string;
    images: { id: string; path: string }[];
  };
  assert.deepEqual([found.method, found.images.length], ['lincir', 3]);
  assert.ok(found.images.every(({ id }) => id !== place.ids[2] && place.ids.includes(id)));
  const { content } = await call('show_images', { ids: found.images.map(({ id }) => id), side: 64 });
  const images = content.flatMap((block) =>
    block.type === 'image' ? [Buffer.from(block.data, 'base64')] : [],
  );
  assert.equal(images.length, 3);
  for (const image of images) assert.equal(image.readUInt16BE(0), 0xffd8); // JPEG
  const uri = `lincir://photos/images/${place.ids[0]}`;
  const [read] = (await client.readResource({ uri })).contents;
  assert.equal(read?.mimeType, 'image/jpeg');
}

for (const version of versions) {
  test(`over standard input and output, protocol ${version}`, async () => {
    const client = newClient(version);
    await client.connect(stdio());
    try {
      assert.equal(client.getNegotiatedProtocolVersion(), version);
      await useAll(client);
    } finally {
      await client.close();
    }
  });
}

describe('over HTTP', () => {
  let server: ChildProcess;
  let url: URL;
  before(async () => {
    server = start(['serve', ...indexArguments(), '--port', '0'], { folder });
    url = new URL('mcp', await serverAddress(server));
  });
  after(async () => {
    server.kill('SIGTERM');
    await once(server, 'close');
  });

  for (const version of versions) {
    test(`protocol ${version}`, async () => {
      const client = newClient(version);
      await client.connect(new StreamableHTTPClientTransport(url));
      assert.equal(client.getNegotiatedProtocolVersion(), version);
      await useAll(client);
      await client.close();
    });
  }

  test('several clients at once', async () => {
    await Promise.all(
      [...versions, ...versions].map(async (version) => {
        const client = newClient(version);
        await client.connect(new StreamableHTTPClientTransport(url));
        await useAll(client);
        await client.close();
      }),
    );
  });

  test('not for the pages of other sites', async () => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' });
    const post = async (headers: Record<string, string>) =>
      (await fetch(url, { method: 'POST', body, headers })).status;
    const json = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
    assert.equal(await post(json), 200);
    assert.equal(await post({ ...json, origin: 'https://evil.example' }), 403);
    assert.equal(await post({ ...json, origin: 'null' }), 403);
    assert.equal(await post({ ...json, 'content-type': 'text/plain' }), 415);
  });
});

/** The address that `lincir serve` tells. */
async function serverAddress(server: ChildProcess): Promise<string> {
  for await (const line of createInterface(server.stderr!)) {
    const [, address] = /^lincir serve: (http:\S+)$/.exec(line) ?? [];
    if (address !== undefined) {
      server.stderr!.resume();
      return address;
    }
  }
  throw new Error('lincir serve has ended');
}

describe('the process', () => {
  const initialize = (id: number) => ({
    ...{ jsonrpc: '2.0', id, method: 'initialize' },
    params: {
      ...{ protocolVersion: '2025-06-18', capabilities: {} },
      clientInfo: { name: 'raw', version: '1' },
    },
  });
  const run = () => {
    const child = start(['mcp', ...indexArguments()], { folder });
    const lines = createInterface(child.stdout!)[Symbol.asyncIterator]();
    const send = (message: unknown) => child.stdin!.write(`${JSON.stringify(message)}\n`);
    const receive = async () => JSON.parse((await lines.next()).value ?? 'null');
    return { child, send, receive, errors: text(child.stderr!) };
  };

  test('ends with code 0 when its input is closed, with a search under way', async () => {
    const { child, send, receive, errors } = run();
    send(initialize(1));
    const { result } = await receive();
    assert.equal(result.protocolVersion, '2025-06-18');
    send({ jsonrpc: '2.0', method: 'notifications/initialized' });
    const call = { name: 'search_images', arguments: { text: 'a house' } };
    send({ jsonrpc: '2.0', id: 2, method: 'tools/call', params: call });
    child.stdin!.end();
    const [code, signal] = await once(child, 'close');
    assert.deepEqual([code, signal, await errors], [0, null, '']);
  });

  test('writes nothing but the protocol, whatever it reads', async () => {
    const { child, send, receive } = run();
    child.stdin!.write('this is no JSON\n\0\n{"jsonrpc":"1.0"}\n[]\n');
    send(initialize(1));
    assert.equal((await receive()).id, 1);
    send({ jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'constructor', arguments: {} } });
    assert.equal((await receive()).id, 2);
    child.stdin!.end();
    assert.deepEqual(await once(child, 'close'), [0, null]);
  });

  test('ends when a message is larger than it takes', async () => {
    const { child } = run();
    child.stdin!.on('error', () => {}); // It ends before it has read all.
    child.stdin!.write('x'.repeat(2 * 2 ** 20));
    assert.deepEqual(await once(child, 'close'), [0, null]);
  });

  test('says why an index cannot be opened', async () => {
    const child = start(['mcp', '--index', 'missing.lance'], { folder });
    const [told] = await Promise.all([text(child.stderr!), once(child, 'close')]);
    assert.equal(child.exitCode, 1);
    assert.match(told, /^lincir: missing\.lance/);
  });

  test('is interrupted by a signal', async () => {
    const { child, send, receive } = run();
    send(initialize(1));
    await receive();
    child.kill('SIGTERM');
    const [code] = await once(child, 'close');
    assert.ok(code === 143 || code === 0, String(code));
  });
});

test('a call over standard input that is cancelled gets no answer, and others do', async () => {
  const client = newClient('2025-11-25');
  await client.connect(stdio());
  const controller = new AbortController();
  const asked = { name: 'search_images', arguments: { text: 'a house' } };
  const cancelled = client.callTool(asked, { signal: controller.signal });
  controller.abort();
  await assert.rejects(cancelled);
  assert.equal((await client.callTool(asked)).isError, undefined);
  await client.close();
});
