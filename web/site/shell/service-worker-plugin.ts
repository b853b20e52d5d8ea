/** Makes the service worker at the end of a build, with a list of all files and their hashes: what it keeps for offline use. */

import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { build } from 'esbuild';
import type { Plugin } from 'vite';
import type { SiteFile } from '../service/files.ts';

/** What hosts read, not pages. */
const forHosts = ['_headers', 'serve.json', '.nojekyll'];
const name = 'service-worker.js';

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
        if (failure !== undefined) return;
        const files = await listFiles(folder);
        const version = sha256(JSON.stringify(files)).slice(0, 16);
        const { outputFiles } = await build({
          entryPoints: [join(import.meta.dirname, '../service/worker.ts')],
          ...{
            bundle: true,
            minify: true,
            write: false,
            format: 'iife',
            target: ['chrome123', 'safari17.5'],
          },
          define: { SITE_VERSION: JSON.stringify(version), SITE_FILES: JSON.stringify(files) },
        });
        await writeFile(join(folder, name), outputFiles[0]!.contents);
      },
    },
  };
}

async function listFiles(folder: string): Promise<SiteFile[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
  const kept = paths.filter((path) => path !== name && !forHosts.includes(path)).sort();
  return await Promise.all(
    kept.map(async (path) => {
      const bytes = await readFile(join(folder, path));
      return { path: path.replaceAll(sep, '/'), bytes: bytes.length, sha256: sha256(bytes) };
    }),
  );
}

function sha256(bytes: string | Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
