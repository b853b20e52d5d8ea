/** Builds the page for tests, and serves it as any static host would, with or without the headers that allow threads. */

import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { build } from 'vite';
import { miniatureWorld } from '../plugin.ts';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
};

export interface ServedFolder {
  readonly address: string;
  /** Bytes of each file that was asked for. */
  readonly sent: Map<string, number>;
  /** Whether pages may have threads. Default: they may. */
  isolate(isolated: boolean): void;
  /** Files that are not there, for a while. */
  readonly missing: Set<string>;
  close(): Promise<void>;
}

/** Builds the page into a folder of its own, which is gone when it is closed. */
export async function servedWorld(): Promise<ServedFolder> {
  const folder = await mkdtemp(join(tmpdir(), 'lincir-world-'));
  await build({
    configFile: false,
    root: import.meta.dirname,
    base: './',
    logLevel: 'error',
    resolve: { conditions: ['lincir-source', 'module', 'browser', 'development|production'] },
    worker: { format: 'es' },
    plugins: [miniatureWorld()],
    build: {
      outDir: folder,
      emptyOutDir: true,
      target: ['chrome123'],
      assetsInlineLimit: 0,
      chunkSizeWarningLimit: 10_000,
      modulePreload: { polyfill: false },
      rolldownOptions: {
        treeshake: {
          moduleSideEffects: [
            { test: /[\\/](?:zod|src[\\/]\w+)[\\/]/, sideEffects: false },
            { test: /./, sideEffects: true },
          ],
        },
      },
    },
  });
  const served = await serveFolder(folder);
  return {
    ...served,
    close: async () => {
      await served.close();
      await rm(folder, { recursive: true });
    },
  };
}

/** Serves a folder from a sub-path. */
export async function serveFolder(folder: string): Promise<ServedFolder> {
  const sent = new Map<string, number>();
  const missing = new Set<string>();
  let isIsolated = true;
  const server = createServer(async ({ url }, response) => {
    const path = new URL(url!, 'http://localhost').pathname.replace(/^\/site\//, '') || 'index.html';
    const bytes = missing.has(path) ? undefined : await readFile(join(folder, path)).catch(() => undefined);
    if (!bytes || path.includes('..')) return response.writeHead(404).end();
    sent.set(path, bytes.length);
    response.writeHead(200, {
      'content-type': types[extname(path)] ?? 'application/octet-stream',
      'content-length': bytes.length,
      ...(isIsolated && {
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-embedder-policy': 'require-corp',
      }),
    });
    return response.end(bytes);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/site/`,
    ...{ sent, missing },
    isolate: (isolated) => {
      isIsolated = isolated;
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
