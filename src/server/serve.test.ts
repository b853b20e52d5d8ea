/** The server on a socket: slow clients, and how it stops. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, test } from 'node:test';
import { fakeService } from '../../test/fake-service.ts';
import { createClient } from '../api/index.ts';
import { createApp } from './app.ts';
import { type RunningServer, serve } from './serve.ts';
import { defaultSettings } from './settings.ts';

let server: RunningServer;
afterEach(() => server.close(0));

async function started(
  overrides: Parameters<typeof fakeService>[0] = {},
  bounds: Parameters<typeof serve>[2] = {},
): Promise<RunningServer> {
  const settings = { ...defaultSettings, port: 0 };
  server = await serve(createApp(fakeService(overrides), settings), settings, bounds);
  return server;
}

/** A client, and when it is hung up on. That is listened to from the start: on a busy machine, it may come at once. */
async function connected(): Promise<{ socket: Socket; hungUp: Promise<void> }> {
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  // Whatever is written after the server has hung up is an error of the socket, which then closes.
  socket.on('error', () => {});
  const hungUp = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.resume();
  await once(socket, 'connect');
  return { socket, hungUp };
}

test('hangs up on clients that never finish their headers or body, and answers others', async () => {
  await started({}, { headersTimeout: 150, requestTimeout: 300, connectionsCheckingInterval: 20 });
  const { socket: slow, hungUp: slowEnds } = await connected();
  const { socket: slower, hungUp: slowerEnds } = await connected();
  slow.write('GET /api/v1 HTTP/1.1\r\nhost: localhost\r\n');
  slower.write(
    'POST /api/v1/search HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{',
  );
  const drip = setInterval(() => {
    slow.write('x: y\r\n');
    slower.write(' ');
  }, 20);
  try {
    assert.equal((await createClient({ url: server.url }).server()).indexes.length, 1);
    await Promise.all([slowEnds, slowerEnds]);
  } finally {
    clearInterval(drip);
  }
  assert.equal((await createClient({ url: server.url }).server()).indexes.length, 1);
});

test('stops when what it has begun is answered, whoever else is connected', async () => {
  const gate = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const service = fakeService();
  await started({
    async search(request, scope) {
      begun.resolve();
      await gate.promise;
      return await service.search(request, scope);
    },
  });
  const { hungUp } = await connected();
  const answer = createClient({ url: server.url }).search({ text: 'a' });
  await begun.promise;
  const closed = server.close(60_000);
  await assert.rejects(connected(), { code: 'ECONNREFUSED' });
  gate.resolve();
  assert.equal((await answer).images.length, 1);
  await closed;
  await hungUp;
});

test('stops in time even if an answer never comes', async () => {
  const begun = Promise.withResolvers<void>();
  await started({
    search() {
      begun.resolve();
      return new Promise(() => {});
    },
  });
  const answer = createClient({ url: server.url }).search({ text: 'a' });
  answer.catch(() => {});
  await begun.promise;
  await server.close(50);
  await assert.rejects(answer, { code: 'unreachable' });
});

test('a port that another program has is told', async () => {
  const { url } = await started();
  const settings = { ...defaultSettings, port: Number(new URL(url).port) };
  await assert.rejects(serve(createApp(fakeService(), settings), settings), {
    code: 'bad-argument',
    message: /^`port`: expected a free port, found \d+, which another program has/,
  });
});
