/** Assistants' tools and resources, asked by the official client over HTTP without a socket, in all protocol versions. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type CallToolResult, Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { fakeService, knownId } from '../../../test/fake-service.ts';
import { LincirError } from '../../core/index.ts';
import type { SearchService } from '../../service/index.ts';
import { createApp } from '../app.ts';
import { defaultSettings } from '../settings.ts';

const versions = ['2025-06-18', '2025-11-25', '2026-07-28'];
const errors: string[] = [];

async function connected(overrides: Partial<SearchService> = {}, version = '2026-07-28') {
  const service = fakeService(overrides);
  const app = createApp(service, { ...defaultSettings, onError: (line) => errors.push(line) });
  const isModern = version.startsWith('2026');
  const client = new Client(
    { name: 'test', version: '1' },
    isModern ? { versionNegotiation: { mode: { pin: version } } } : { supportedProtocolVersions: [version] },
  );
  await client.connect(
    new StreamableHTTPClientTransport(new URL('http://localhost:5462/mcp'), {
      fetch: async (url, init) => {
        const headers = new Headers(init?.headers);
        headers.set('host', 'localhost:5462');
        return await app.request(String(url), { ...init, headers });
      },
    }),
  );
  assert.equal(client.getNegotiatedProtocolVersion(), version);
  const call = (name: string, args: Record<string, unknown> = {}) =>
    client.callTool({ name, arguments: args });
  return { service, client, call };
}

function textOf({ content }: CallToolResult): string {
  return content.map((block) => (block.type === 'text' ? block.text : '')).join('\n');
}
const hex = (at: number) => at.toString(16).padStart(16, '0');

for (const version of versions) {
  describe(`protocol ${version}`, () => {
    test('lists tools that change nothing', async () => {
      const { client } = await connected({}, version);
      const { tools } = await client.listTools();
      assert.deepEqual(
        tools.map(({ name, annotations, outputSchema }) => [
          name,
          annotations?.readOnlyHint && annotations.idempotentHint,
          outputSchema !== undefined,
        ]),
        [
          ['search_images', true, true],
          ['show_images', true, false],
          ['describe_index', true, true],
        ],
      );
      assert.match(client.getInstructions() ?? '', /describe_index/);
      await client.close();
    });

    test('searches', async () => {
      const { call, service, client } = await connected({}, version);
      const answer = await call('search_images', {
        images: [knownId, 'https://example.org/a.jpg'],
        text: 'in the snow',
        filter: 'rating > 3',
        more: [hex(1)],
      });
      const asked = JSON.parse(JSON.stringify(service.asked.at(-1)));
      assert.deepEqual(asked, [
        'search',
        {
          images: [{ id: knownId }, { url: 'https://example.org/a.jpg' }],
          text: 'in the snow',
          filter: 'rating > 3',
          more: [{ id: hex(1) }],
          limit: 10,
          fields: ['path', 'metadata'],
        },
      ]);
      assert.deepEqual(answer.structuredContent, {
        ...{ index: 'photos', method: 'sum', offset: 0, hasMore: false },
        images: [{ id: knownId, score: 0.5, path: '/photos/a.jpg', metadata: {} }],
      });
      assert.match(textOf(answer), new RegExp(`1\\. ${knownId} 0\\.500 "/photos/a\\.jpg"`));
      assert.deepEqual(answer.content[1], {
        ...{ type: 'resource_link', name: 'a.jpg', mimeType: 'image/jpeg' },
        uri: `lincir://photos/images/${knownId}`,
      });
      await client.close();
    });

    test('shows images', async () => {
      const { call, client } = await connected({}, version);
      const { content } = await call('show_images', { ids: [knownId] });
      assert.deepEqual(content[1], { type: 'image', mimeType: 'image/jpeg', data: 'AQID' });
      await client.close();
    });

    test('describes an index', async () => {
      const { call, client } = await connected({}, version);
      const answer = await call('describe_index');
      const told = answer.structuredContent as Record<string, unknown>;
      assert.deepEqual(told.columns, [
        { name: 'rating', type: 'number', examples: [4], least: 4, greatest: 4 },
      ]);
      assert.deepEqual(told.indexes, ['photos']);
      assert.match(textOf(answer), /"rating" \(number, from 4 to 4, such as 4\)/);
      await client.close();
    });

    test('has resources', async () => {
      const { client } = await connected({}, version);
      const { resources } = await client.listResources();
      assert.deepEqual(
        resources.map(({ uri }) => uri),
        ['lincir://photos'],
      );
      const { resourceTemplates } = await client.listResourceTemplates();
      assert.deepEqual(
        resourceTemplates.map(({ uriTemplate }) => uriTemplate),
        ['lincir://{index}', 'lincir://{index}/images/{id}'],
      );
      const uri = `lincir://photos/images/${knownId}`;
      assert.deepEqual((await client.readResource({ uri })).contents, [
        { uri, mimeType: 'image/jpeg', blob: 'AQID' },
      ]);
      const [index] = (await client.readResource({ uri: 'lincir://photos' })).contents;
      assert.match((index as { text: string }).text, /The index photos has 1 images/);
      const { completion } = await client.complete({
        ref: { type: 'ref/resource', uri: 'lincir://{index}' },
        argument: { name: 'index', value: 'ph' },
      });
      assert.deepEqual(completion.values, ['photos']);
      await client.close();
    });
  });
}

describe('errors tell a model how to mend its call', () => {
  const refused = async (name: string, args: Record<string, unknown>, overrides = {}) => {
    const { call, client, service } = await connected(overrides);
    const answer = await call(name, args);
    assert.equal(answer.isError, true, JSON.stringify(answer));
    await client.close();
    return { text: textOf(answer), asked: service.asked };
  };

  test('of what does not fit', async () => {
    const { text } = await refused('search_images', { text: 'a', limit: 21 });
    assert.match(text, /^Problem with arguments: limit\nExpected: number to be <=20\nFound: 21$/);
    assert.match((await refused('search_images', { query: 'a' })).text, /no field: "query"/);
    assert.match((await refused('show_images', { ids: [] })).text, /arguments: ids/);
    const nine = Array.from({ length: 9 }, (_, at) => hex(at));
    assert.match((await refused('show_images', { ids: nine })).text, /<=8/);
    assert.match((await refused('search_images', { images: [], x: 1 })).text, /no field/);
  });

  test('of the service', async () => {
    const problem = { subject: 'filter', expected: 'a column', found: '"x"', todo: 'see the columns' };
    const search = () => Promise.reject(new LincirError('bad-argument', problem));
    assert.equal(
      (await refused('search_images', { text: 'a' }, { search })).text,
      'Problem with filter\nExpected: a column\nFound: "x"\nWhat to do: see the columns',
    );
    const busy = () =>
      Promise.reject(
        new LincirError('busy', { subject: 'the queue', expected: 'room', found: 'none', retryAfter: 2.4 }),
      );
    assert.match((await refused('search_images', { text: 'a' }, { search: busy })).text, /in 3 seconds/);
  });

  test('and nothing of the machine', async () => {
    const search = () => Promise.reject(new Error('ENOENT /home/ada/secret'));
    assert.doesNotMatch((await refused('search_images', { text: 'a' }, { search })).text, /ada/);
    assert.ok(errors.some((line) => line.includes('/home/ada/secret')));
  });

  test('of one image among others', async () => {
    const { call, client } = await connected();
    const { content, isError } = await call('show_images', { ids: [knownId, hex(7)] });
    assert.equal(isError, undefined);
    assert.deepEqual(
      content.map(({ type }) => type),
      ['text', 'image', 'text'],
    );
    assert.match(textOf({ content }), new RegExp(`2\\. ${hex(7)}[^]*Problem with`));
    assert.match((await refused('show_images', { ids: [hex(7)] })).text, /Problem with/);
    await client.close();
  });

  test('nothing but ids and web addresses names an image', async () => {
    const hostile = [
      '/etc/passwd',
      '../../etc/passwd',
      '\\\\server\\share\\a.jpg',
      'file:///etc/passwd',
      'data:image/png;base64,AAAA',
      'ftp://example.org/a.jpg',
      'lincir://photos/images/0123456789abcdef',
      `${knownId}\0`,
      `${knownId}/../..`,
      knownId.toUpperCase(),
      '',
    ];
    for (const name of hostile) {
      for (const field of ['images', 'more', 'less']) {
        const { text, asked } = await refused('search_images', { text: 'a', [field]: [name] });
        assert.match(text, new RegExp(`${field}\\[0\\]`));
        assert.match(text, /call `search_images`/);
        assert.deepEqual(asked, []);
      }
      const { asked } = await refused('show_images', { ids: [name] });
      assert.deepEqual(asked, []);
    }
    for (const index of ['../photos', 'a/b', '', 'photos\0']) {
      assert.deepEqual((await refused('search_images', { text: 'a', index })).asked, []);
    }
  });

  test('nothing but ids and names reads a resource', async () => {
    const { client, service } = await connected();
    for (const uri of [
      'lincir://photos/images/..%2F..%2Fetc%2Fpasswd',
      'lincir://photos/images/%2Fetc%2Fpasswd',
      'lincir://photos/images/../../etc/passwd',
      'lincir://photos/images/',
      'file:///etc/passwd',
      'lincir://..%2F/images/0123456789abcdef',
      'lincir://other/images/zz',
    ]) {
      await assert.rejects(client.readResource({ uri }), /Problem with|not found|invalid|photos/i, uri);
    }
    assert.deepEqual(
      service.asked.filter(([method]) => method === 'thumbnail' || method === 'original'),
      [],
    );
    await client.close();
  });
});

describe('answers are bounded', () => {
  const longText = `"\n\u0007${'x'.repeat(10_000)}`;
  const metadata = Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`column ${at}`, longText]));

  test('of a search', async () => {
    const images = Array.from({ length: 20 }, (_, at) => ({
      ...{ id: hex(at), score: 0.5, metadata, path: `/${'y'.repeat(4000)}/a\nb\u202Ec.jpg` },
    }));
    const answer = {
      index: 'photos',
      method: 'text',
      timings: {},
      images,
      offset: 0,
      limit: 20,
      hasMore: true,
    };
    const { call, client } = await connected({ search: async () => answer });
    const found = await call('search_images', { text: 'a', limit: 20 });
    assert.ok(JSON.stringify(found.structuredContent).length < 70_000);
    assert.ok(JSON.stringify(found.content).length < 30_000);
    const text = textOf(found);
    assert.match(text, /go on with offset 20/);
    assert.doesNotMatch(text, /[^\P{C}\n]/u);
    const links = found.content.filter((block) => block.type === 'resource_link');
    assert.deepEqual([links.length, links[0]!.name], [20, 'a b c.jpg']);
    await client.close();
  });

  test('of a description', async () => {
    const columns = Array.from({ length: 1000 }, (_, at) => ({
      name: `column ${at}`,
      type: 'string' as const,
    }));
    const values = { values: Array(5).fill({ value: longText, count: 1 }), sampled: false };
    const service = fakeService();
    const { call, client } = await connected({
      describe: async () => ({ ...(await service.describe()), columns }),
      values: async () => values,
    });
    const told = await call('describe_index');
    assert.ok(JSON.stringify(told).length < 60_000, String(JSON.stringify(told).length));
    assert.match(textOf(told), /"column 399"/);
    await client.close();
  });

  test('of images, which shrink until they fit', async () => {
    const sides = new Set<number>();
    const { call, client } = await connected({
      images: async () => [],
      async thumbnail(_, id, side) {
        sides.add(side);
        return { bytes: new Uint8Array(side * side), type: 'image/jpeg', name: id, etag: id };
      },
    });
    const ids = Array.from({ length: 8 }, (_, at) => hex(at));
    const { content } = await call('show_images', { ids });
    const sizes = content.flatMap((block) => (block.type === 'image' ? [block.data.length] : []));
    assert.equal(sizes.length, 8);
    assert.ok(sizes.reduce((sum, size) => sum + size) < 940_000);
    assert.ok(Math.min(...sides) > 200);
    await client.close();
  });
});

test('a call ends at the service when it is cancelled, or its client has gone', async () => {
  for (const version of versions) {
    const gone = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const { client } = await connected(
      {
        search: (_, { signal }) =>
          new Promise((_resolve, reject) => {
            begun.resolve();
            signal.addEventListener('abort', () => {
              gone.resolve();
              reject(signal.reason);
            });
          }),
      },
      version,
    );
    const controller = new AbortController();
    const options = { signal: controller.signal };
    const answer = client.callTool({ name: 'search_images', arguments: { text: 'a' } }, options);
    await begun.promise;
    // Of a server without sessions, a client of 2025 can only hang up.
    if (version.startsWith('2025')) void client.close();
    else controller.abort();
    await assert.rejects(answer);
    await gone.promise;
    await client.close();
  }
  assert.deepEqual(
    errors.filter((line) => /abort/i.test(line)),
    [],
  );
});

describe('messages over HTTP', () => {
  const post = async (body: string, headers: Record<string, string> = {}) => {
    const app = createApp(fakeService(), defaultSettings);
    return await app.request('http://localhost:5462/mcp', {
      method: 'POST',
      body,
      headers: {
        ...{ host: 'localhost:5462', 'content-type': 'application/json' },
        ...{ accept: 'application/json, text/event-stream', ...headers },
      },
    });
  };
  const ping = { jsonrpc: '2.0', id: 1, method: 'ping' };

  test('are JSON, one at a time, and not large', async () => {
    assert.equal((await post(JSON.stringify(ping))).status, 200);
    assert.equal((await post(JSON.stringify([ping, ping]))).status, 400);
    assert.equal((await post('{"jsonrpc":')).status, 400);
    assert.equal((await post(JSON.stringify(ping), { 'content-type': 'text/plain' })).status, 415);
    assert.equal((await post(JSON.stringify({ ...ping, params: 'x'.repeat(2 ** 20) }))).status, 413);
    const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
    assert.ok(
      [200, 400, 500].includes(
        (await post(`{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":${deep}}}`)).status,
      ),
    );
  });

  test('an old client needs no session', async () => {
    const sent = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'describe_index' } };
    const answer = await post(JSON.stringify(sent), { 'mcp-protocol-version': '2025-06-18' });
    assert.match(await answer.text(), /The index photos/);
  });

  test('are not there if they are switched off', async () => {
    const app = createApp(fakeService(), { ...defaultSettings, mcp: false });
    const answer = await app.request('http://localhost:5462/mcp', {
      method: 'POST',
      headers: { host: 'localhost:5462' },
    });
    assert.equal(answer.status, 404);
  });
});
