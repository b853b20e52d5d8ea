/** Puts the miniature world's files beside the page, in `world/`: into what Vite builds, and into what it serves. */

import { cp, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Plugin } from 'vite';
import { packedWorld } from './pack.ts';
import { packedFiles } from './packed.ts';

export function miniatureWorld(): Plugin {
  let folder: string;
  return {
    name: 'lincir-world',
    configResolved: ({ build }) => {
      folder = build.outDir;
    },
    // Before the service worker lists all files, which it does when the bundle closes.
    writeBundle: async () => {
      await cp(await packedWorld(), join(folder, 'world'), { recursive: true });
    },
    configureServer({ middlewares }) {
      middlewares.use((request, response, next) => {
        const name = basename(new URL(request.url ?? '/', 'http://localhost').pathname);
        if (!/\/world\/[\w-]+\.bin$/.test(request.url ?? '') || !(name in packedFiles)) return next();
        packedWorld()
          .then((packed) => readFile(join(packed, name)))
          .then((bytes) => response.end(bytes), next);
      });
    },
  };
}
