/** Builds the page into `dist/web`, and serves it while you work on it (`npm run web:watch`), beside a running server. */

import { resolve } from 'node:path';
import { defineConfig } from 'vite';

const server = process.env.LINCIR_SERVER ?? 'http://127.0.0.1:5462';
/** As if the page came from the server, which refuses other sites' pages. */
const proxied = { target: server, changeOrigin: true, headers: { origin: new URL(server).origin } };

export default defineConfig({
  root: import.meta.dirname,
  base: './',
  logLevel: 'warn',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: resolve(import.meta.dirname, '../dist/web'),
    emptyOutDir: true,
    target: ['chrome123', 'firefox128', 'safari17.5'],
    assetsInlineLimit: 0, // the page's policy allows nothing inline
    modulePreload: { polyfill: false },
    // Of the library the page takes what it uses, not what that stands beside.
    rolldownOptions: {
      treeshake: {
        moduleSideEffects: [
          { test: /[\\/](?:zod|src[\\/]\w+)[\\/]/, sideEffects: false },
          { test: /./, sideEffects: true },
        ],
      },
    },
  },
  server: { proxy: { '/api': proxied } },
});
