/** The site as a static host shows it: built once, below a path of its own, with or without headers, on good days and bad ones. */

import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { build } from 'vite';
import { writeServiceWorker } from '../../web/site/shell/service-worker-plugin.ts';

const types: Readonly<Record<string, string>> = {
  '.css': 'text/css',
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.mjs': 'text/javascript',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
};
const isolation = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
};
const path = '/some/where/';

export interface Site {
  readonly folder: string;
  /** A copy whose `index.html` has another title: a new version. */
  newVersion(title: string): Promise<string>;
  close(): Promise<void>;
}

export async function buildSite(): Promise<Site> {
  const scratch = await mkdtemp(join(tmpdir(), 'lincir-site-'));
  const folder = join(scratch, 'site');
  const configFile = join(import.meta.dirname, '../../web/site/vite.config.ts');
  await build({ configFile, build: { outDir: folder } });
  return {
    folder,
    async newVersion(title) {
      const copy = join(scratch, title);
      await cp(folder, copy, { recursive: true });
      const page = join(copy, 'index.html');
      const html = await readFile(page, 'utf8');
      await writeFile(page, html.replace(/<title>[^<]*/, `<title>${title}`));
      await writeServiceWorker(copy);
      return copy;
    },
    close: () => rm(scratch, { recursive: true, force: true }),
  };
}

export interface Host {
  readonly url: string;
  /** The folder that it shows. */
  folder: string;
  /** Answers what matches with 500, or with a part of it. */
  broken: { readonly file: RegExp; readonly how: 'refused' | 'cut' } | undefined;
  /** Paths that were asked for. */
  readonly asked: string[];
  close(): Promise<void>;
}

/** A static host. GitHub Pages, for one, lets nobody set headers. */
export async function host(folder: string, { isolated }: { readonly isolated: boolean }): Promise<Host> {
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url!, 'http://host');
    self.asked.push(pathname);
    const file = pathname.startsWith(path) ? pathname.slice(path.length) || 'index.html' : undefined;
    const bytes = file && (await readFile(join(self.folder, file)).catch(() => undefined));
    const fault = self.broken?.file.test(pathname) ? self.broken.how : undefined;
    if (!bytes || fault === 'refused') return void response.writeHead(fault ? 500 : 404).end();
    const type = types[extname(file)] ?? 'application/octet-stream';
    response.writeHead(200, { 'content-type': type, ...(isolated && isolation) });
    response.end(fault === 'cut' ? bytes.subarray(0, bytes.length / 2) : bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const self: Host = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`,
    folder,
    broken: undefined,
    asked: [],
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return self;
}
