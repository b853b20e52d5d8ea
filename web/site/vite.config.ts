/** Builds the site into `site`: pages that need no server, for any static host and any path (`npm run site`). */

import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { defineConfig } from 'vite';
import { hubPolicy } from './photos/policy-plugin.ts';
import { serviceWorker } from './shell/service-worker-plugin.ts';
import { runtimeAlone } from './shell/threads-plugin.ts';
import { miniatureWorld } from './world/plugin.ts';

const root = import.meta.dirname;
/** Another hub for own photos' models, such as a mirror. */
const hub = process.env.HF_ENDPOINT;
const pages = ['index.html', 'photos.html']
  .map((name) => join(root, name))
  .filter((path) => existsSync(path));
/** With these a page may have threads. */
const isolation = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
};
/** Of the library, pages and workers take what they use, not what that stands beside. */
const treeshake = {
  moduleSideEffects: [
    { test: /[\\/](?:zod|src[\\/]\w+)[\\/]/, sideEffects: false },
    { test: /./, sideEffects: true },
  ],
};

export default defineConfig({
  root,
  base: './',
  logLevel: 'warn',
  resolve: { conditions: ['lincir-source', 'module', 'browser', 'development|production'] },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  worker: {
    format: 'es',
    plugins: () => [runtimeAlone()],
    rolldownOptions: { checks: { pluginTimings: false }, treeshake },
  },
  plugins: [hubPolicy(hub), miniatureWorld(), serviceWorker()],
  define: { HUB_ENDPOINT: JSON.stringify(hub ?? 'https://huggingface.co') },
  build: {
    outDir: resolve(root, '../../site'),
    emptyOutDir: true,
    target: ['chrome123', 'firefox128', 'safari17.5'],
    assetsInlineLimit: 0, // the pages' policy allows nothing inline
    chunkSizeWarningLimit: 2000,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: pages,
      checks: { pluginTimings: false },
      treeshake,
    },
  },
  server: { headers: isolation },
  preview: { headers: isolation },
});
