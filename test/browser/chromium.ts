/** The engine in a real Chromium: what `pages/worker.ts` can do there, asked from here. */

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, normalize } from 'node:path';
import { type BuildOptions, build } from 'esbuild';
import type { Browser } from 'playwright-core';
import { openBrowser } from '../page/browser.ts';
import type { Checks } from './checks.ts';

export { noBrowser } from '../page/browser.ts';

const root = join(import.meta.dirname, '../..');
const pages = join(import.meta.dirname, 'pages');
const types: Readonly<Record<string, string>> = {
  html: 'text/html',
  js: 'text/javascript',
  wasm: 'application/wasm',
};
const shell =
  '<!doctype html><html lang="en"><title>Engine</title><script type="module" src="page.js"></script></html>';

/** What tests that run in pages import of Node, and what stands for it there. */
const standIns: BuildOptions['plugins'] = [
  {
    name: 'stand-ins',
    setup({ onResolve }) {
      onResolve({ filter: /^node:(assert\/strict|path)$/ }, ({ path }) => ({
        path: join(pages, `${path.slice('node:'.length).split('/')[0]}.ts`),
      }));
      onResolve({ filter: /\/files\/index\.ts$/ }, () => ({ path: join(pages, 'files.ts') }));
    },
  },
];

export interface Site {
  readonly url: string;
  close(): void;
}

/**
 * Serves the test's page, the files of the repository, and ONNX Runtime's. Below `isolated/`, with the headers for threads;
 * below `bare/`, without ONNX Runtime's files.
 * @param photos a folder to serve as `photos/`
 */
export async function serveSite(photos?: string): Promise<Site> {
  const { outputFiles } = await build({
    entryPoints: [join(pages, 'page.ts'), join(pages, 'worker.ts')],
    bundle: true,
    splitting: true,
    write: false,
    outdir: '/',
    format: 'esm',
    platform: 'browser',
    conditions: ['browser', 'lincir-source'],
    target: 'es2024',
    logLevel: 'silent',
    plugins: standIns,
  });
  const scripts = new Map(outputFiles.map(({ path, contents }) => [path, contents]));
  const contentOf = async (path: string): Promise<Uint8Array | string> => {
    if (path === '/') return shell;
    if (photos && path.startsWith('/photos/'))
      return await readFile(join(photos, path.slice('/photos'.length)));
    if (path.startsWith('/repository/')) return await readFile(join(root, path.slice('/repository'.length)));
    if (path.endsWith('.wasm')) return await readFile(join(root, 'node_modules/onnxruntime-web/dist', path));
    return scripts.get(path) ?? Promise.reject(new Error(path));
  };
  const server = createServer(async ({ url = '' }, response) => {
    const [, kind, rest = ''] = /^\/(isolated|bare)(\/.*)/.exec(url) ?? ['', '', url];
    const path = normalize(decodeURIComponent(rest));
    if (kind === 'isolated') {
      response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
      response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
    }
    const isHidden = kind === 'bare' && path.endsWith('.wasm');
    const content = isHidden ? undefined : await contentOf(path).catch(() => undefined);
    const ending = path === '/' ? 'html' : path.slice(path.lastIndexOf('.') + 1);
    response.setHeader('Content-Type', types[ending] ?? 'application/octet-stream');
    response.writeHead(content === undefined ? 404 : 200).end(content);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** A Chromium that has no GPU for pages. */
export const openWithoutGpu = (): Promise<Browser> => openBrowser(['--disable-gpu']);

/** A Chromium in which the processor plays the GPU, so that WebGPU is there. */
export const openChromium = (): Promise<Browser> =>
  openBrowser(['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader']);

/** A page with a worker of its own. */
export interface Engine {
  /** Lets the worker do something, and returns what it found, which must be JSON's. Its errors are thrown here. */
  ask<Name extends keyof Checks>(name: Name, ...given: Parameters<Checks[Name]>): ReturnType<Checks[Name]>;
  close(): Promise<void>;
}

export async function openEngine(browser: Browser, address: string): Promise<Engine> {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(address);
  await page.waitForFunction('globalThis.ask');
  return {
    ask: <Name extends keyof Checks>(name: Name, ...given: Parameters<Checks[Name]>) =>
      page
        .evaluate<string>(`ask(${JSON.stringify(name)}, ${JSON.stringify(given)})`)
        .then((answer) => JSON.parse(answer) ?? undefined) as ReturnType<Checks[Name]>,
    close: () => context.close(),
  };
}
