/** Makes the service worker at the end of a build, with a list of all files and their hashes: what it keeps for offline use. */

import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { build } from 'esbuild';
import type { Plugin } from 'vite';
import type { SiteFile } from '../service/files.ts';

const name = 'service-worker.js';
/** What hosts read, not pages. */
const forHosts = ['_headers', 'serve.json', '.nojekyll'];

/** Engines for your own photos, 14 MB, or 27 MB on a GPU. The miniature world has its own, which is packed. */
const onUse = /\.wasm$/;

export function serviceWorker(): Plugin {
  let folder: string;
  return {
    name: 'lincir-service-worker',
    apply: 'build',
    configResolved: ({ build }) => {
      folder = build.outDir;
    },
    closeBundle: {
      order: 'post',
      async handler(failure) {
        if (failure === undefined) await writeServiceWorker(folder);
      },
    },
  };
}

/** Writes it for the site in this folder, as it is now. */
export async function writeServiceWorker(folder: string): Promise<void> {
  const files = await listFiles(folder);
  const version = sha256(JSON.stringify(files)).slice(0, 16);
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, '../service/worker.ts')],
    bundle: true,
    minify: true,
    write: false,
    format: 'iife',
    target: ['chrome123', 'firefox128', 'safari17.5'],
    define: { SITE_VERSION: JSON.stringify(version), SITE_FILES: JSON.stringify(files) },
  });
  await writeFile(join(folder, name), outputFiles[0]!.contents);
}

async function listFiles(folder: string): Promise<SiteFile[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll(sep, '/'))
    .filter((path) => path !== name && !forHosts.includes(path))
    .sort();
  return await Promise.all(
    paths.map(async (path) => {
      const bytes = await readFile(join(folder, path));
      const policy = path.endsWith('.html') ? policyIn(path, bytes.toString()) : undefined;
      const isRare = onUse.test(path) || undefined;
      return { path, bytes: bytes.length, sha256: sha256(bytes), onUse: isRare, policy };
    }),
  );
}

function policyIn(path: string, html: string): string {
  const [, policy] = /http-equiv="Content-Security-Policy"\s+content="([^"]+)"/.exec(html) ?? [];
  if (policy === undefined) throw new Error(`${path} has no Content-Security-Policy`);
  return policy;
}

function sha256(bytes: string | Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
