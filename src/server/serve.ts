/** A server that listens, and stops in order: it finishes what runs, and takes nothing new. */

import type { Server } from 'node:http';
import { createAdaptorServer } from '@hono/node-server';
import type { Hono } from 'hono';
import { errorCode, LincirError, option } from '../core/index.ts';
import { expectGuarded } from './exposure.ts';
import type { ServerSettings } from './settings.ts';

/** Bounds for clients that send slowly, or much beside their request. Times are in milliseconds. */
const usualBounds = {
  maxHeaderSize: 2 ** 14,
  headersTimeout: 10_000,
  requestTimeout: 60_000,
  keepAliveTimeout: 65_000,
  connectionsCheckingInterval: 2_000,
  /** Without a byte in either direction. */
  idleTimeout: 120_000,
};
const maxHeaders = 100;
const maxConnections = 2048;

export interface RunningServer {
  /** Where a browser finds it. */
  readonly url: string;
  /** Stops listening, and waits for the answers that are due, at most so many milliseconds. */
  close(patience: number): Promise<void>;
}

/** Starts to listen. Throws 'bad-argument' if it cannot, or if nothing guards it. */
export async function serve(
  app: Hono,
  settings: ServerSettings,
  bounds: Partial<typeof usualBounds> = {},
): Promise<RunningServer> {
  expectGuarded(settings);
  const { host, port } = settings;
  const { idleTimeout, ...serverOptions } = { ...usualBounds, ...bounds };
  const server = createAdaptorServer({
    fetch: app.fetch,
    hostname: host,
    serverOptions,
  }) as Server;
  server.maxHeadersCount = maxHeaders;
  server.maxConnections = maxConnections;
  server.timeout = idleTimeout;
  const requests = countRequests(server);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(cannotListen(error, host, port)));
    // In a burst, connections wait here. The system lets clients who find no place wait for seconds.
    server.listen({ port, host, backlog: maxConnections }, resolve);
  });
  const address = server.address();
  const taken = address !== null && typeof address === 'object' ? address.port : port;
  return {
    url: `http://${shownHost(host)}:${taken}/`,
    async close(patience) {
      const closed = new Promise((resolve) => server.close(resolve));
      const timer = setTimeout(() => server.closeAllConnections(), patience);
      await requests.finished();
      // Connections that have not asked anything yet would stay open.
      server.closeAllConnections();
      await closed;
      clearTimeout(timer);
    },
  };
}

/** Counts requests, to know when all are answered. */
function countRequests(server: Server) {
  let running = 0;
  let whenDone: (() => void) | undefined;
  server.prependListener('request', (_, response) => {
    running += 1;
    if (whenDone) response.setHeader('connection', 'close');
    response.once('close', () => {
      running -= 1;
      if (running === 0) whenDone?.();
    });
  });
  return {
    /** Resolves once none is left. Connections take no further ones. */
    finished: () =>
      new Promise<void>((resolve) => {
        whenDone = resolve;
        if (running === 0) resolve();
      }),
  };
}

/** A browser cannot go to "all addresses". */
function shownHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}

function cannotListen(cause: Error, host: string, port: number): LincirError {
  const reasons: Readonly<Record<string, [expected: string, found: string, todo: string]>> = {
    EADDRINUSE: ['a free port', `${port}, which another program has`, 'choose another one, or 0 for any'],
    EACCES: ['a port that you may use', `${port}`, 'choose one from 1024 on'],
  };
  const [expected, found, todo] = reasons[errorCode(cause)] ?? [
    'an address of this machine',
    `${host}: ${cause.message}`,
    undefined,
  ];
  const name = reasons[errorCode(cause)] ? 'port' : 'host';
  return new LincirError('bad-argument', {
    subject: option<ServerSettings>(name),
    expected,
    found,
    todo,
    cause,
  });
}
