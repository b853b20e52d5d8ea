/** Files that come with the package: the page, and the description of the API. Only these are ever sent. */

import { hash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { extname, join, sep } from 'node:path';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { type Context, Hono } from 'hono';
import { pagePolicy } from './headers.ts';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
};
/** Vite puts a hash of the contents into these names. */
const hashed = /-[\w-]{8}\.\w+$/;

interface Loaded {
  readonly plain: Uint8Array<ArrayBuffer>;
  readonly packed: Uint8Array<ArrayBuffer>;
  readonly etag: string;
}

/**
 * A route for each file of a folder, `index.html` at `/`. None if the folder is not there. A file may be stored as `NAME.gz`.
 * @param only the names of files to send. Default: all.
 */
export function assetRoutes(folder: string, only?: readonly string[]): Hono {
  const routes = new Hono();
  for (const file of filesIn(folder)) {
    const name = file.replaceAll(sep, '/').replace(/\.gz$/, '');
    if (only && !only.includes(name)) continue;
    let loading: Promise<Loaded> | undefined;
    routes.get(name === 'index.html' ? '/' : `/${name}`, async (context) => {
      loading ??= load(join(folder, file));
      return answer(context, name, await loading);
    });
  }
  return routes;
}

function filesIn(folder: string): readonly string[] {
  try {
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
  } catch {
    return [];
  }
}

async function load(path: string): Promise<Loaded> {
  const stored = await readFile(path);
  const isPacked = path.endsWith('.gz');
  const plain = new Uint8Array(isPacked ? await promisify(gunzip)(stored) : stored);
  const packed = new Uint8Array(isPacked ? stored : await promisify(gzip)(stored, { level: 9 }));
  return { plain, packed, etag: `"${hash('sha256', plain, 'base64url').slice(0, 22)}"` };
}

function answer({ req }: Context, name: string, { plain, packed, etag }: Loaded): Response {
  const extension = extname(name);
  const headers: Record<string, string> = {
    etag,
    'cache-control': hashed.test(name) ? 'public, max-age=31536000, immutable' : 'no-cache',
    vary: 'accept-encoding',
  };
  // With 304, too: browsers put its headers in the place of those that they kept.
  if (extension === '.html') headers['content-security-policy'] = pagePolicy;
  if (req.header('if-none-match')?.includes(etag)) return new Response(null, { status: 304, headers });
  headers['content-type'] = types[extension] ?? 'application/octet-stream';
  const isSmaller = packed.length < plain.length && /\bgzip\b/.test(req.header('accept-encoding') ?? '');
  if (isSmaller) headers['content-encoding'] = 'gzip';
  return new Response(isSmaller ? packed : plain, { headers });
}
