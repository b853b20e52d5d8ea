/** A static host of the built site for tests: with the headers that allow threads, or without. */

import { once } from 'node:events';
import { createReadStream, existsSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, extname, join, normalize } from 'node:path';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
};

export interface Host extends AsyncDisposable {
  readonly address: string;
}

interface HostOptions {
  /** Whether it sends the headers that allow threads. */
  readonly isIsolated?: boolean;
  /** Scripts that run in workers before their own, by the worker's name. */
  readonly scripts?: Readonly<Record<string, string>>;
}

export async function hostSite(
  folder: string,
  { isIsolated = true, scripts = {} }: HostOptions = {},
): Promise<Host> {
  const isolation = {
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-embedder-policy': 'require-corp',
  };
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://host');
    const path = join(folder, normalize(decodeURIComponent(pathname)));
    if (!existsSync(path) || !statSync(path).isFile()) return void response.writeHead(404).end();
    const type = types[extname(path)] ?? 'application/octet-stream';
    response.writeHead(200, { 'content-type': type, ...(isIsolated && isolation) });
    const [, name = ''] = /^(.*)-[\w-]{8}\.js$/.exec(basename(path)) ?? [];
    response.write(scripts[name] ? `${scripts[name]}\n` : '');
    createReadStream(path).pipe(response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}
