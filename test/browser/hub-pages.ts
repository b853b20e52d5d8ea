/** Pages that fetch models from a fake hub in a real Chromium. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { BrowserContext, Page } from 'playwright-core';
import { type ErrorCode, LincirError } from '../../src/core/index.ts';

const shell = '<!doctype html><title>Hub</title><script type="module" src="hub-page.js"></script>';

/** What is asked of a page. Models' and phis' names come first. */
export interface Questions {
  configure(changes: { readonly endpoint?: string; readonly half?: boolean }): Promise<void>;
  /** The hashes of all files. */
  read(name: string): Promise<Record<string, string>>;
  part(name: string, file: string, offset: number, length: number): Promise<number[]>;
  phi(name: string): Promise<{ readonly input: number; readonly notices: readonly string[] }>;
  describe(name: string): Promise<Facts>;
  describePhi(name: string): Promise<Facts>;
  /** All that is told of progress. */
  download(name: string): Promise<number[][]>;
  /** Ends a download when so much of it has arrived. */
  abort(name: string, after: number): Promise<void>;
  models(): Promise<readonly { readonly id: string; readonly bytes: number }[]>;
  forget(id: string): Promise<void>;
  fingerprint(name: string): Promise<string>;
  keep(name: string, text: string): Promise<void>;
  kept(name: string): Promise<string | undefined>;
  /** Changes bytes of every block that is kept. */
  damage(): Promise<void>;
  /** Takes the end of every large block that is kept. */
  truncate(): Promise<void>;
  /** Deletes all files of the page. */
  wipe(): Promise<void>;
  /** Opens a file and reads all of it; `readHeld` reads its beginning again. */
  hold(name: string, file: string): Promise<void>;
  readHeld(): Promise<void>;
  /** Downloads what fails, and counts what is told of its progress afterwards. */
  lateNews(name: string): Promise<number>;
}

interface Facts {
  readonly files: readonly { readonly name: string; readonly bytes: number; readonly here: number }[];
  readonly free: number | undefined;
  readonly [name: string]: unknown;
  readonly bytesHere: number;
}

export interface Site {
  readonly url: string;
  close(): void;
}

/** Serves the page, isolated as pages with threads are, so that other hosts must allow it to read them. */
export async function serveHubPage(): Promise<Site> {
  const pages = join(import.meta.dirname, 'pages');
  const { outputFiles } = await build({
    entryPoints: [join(pages, 'hub-page.ts'), join(pages, 'hub-worker.ts')],
    ...{ bundle: true, splitting: true, write: false, outdir: '/', format: 'esm', platform: 'browser' },
    conditions: ['browser', 'lincir-source'],
    external: ['onnxruntime-web', 'onnxruntime-web/*'],
    target: 'es2024',
    logLevel: 'error',
  });
  const scripts = new Map(outputFiles.map(({ path, contents }) => [path, contents]));
  const server = createServer(({ url = '' }, response) => {
    response.setHeader('cross-origin-opener-policy', 'same-origin');
    response.setHeader('cross-origin-embedder-policy', 'require-corp');
    const script = scripts.get(url);
    response.setHeader('content-type', script ? 'text/javascript' : 'text/html');
    response.writeHead(script || url === '/' ? 200 : 404).end(script ?? shell);
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

/** A page, and what it can be asked. */
export interface HubPage {
  readonly page: Page;
  readonly warnings: string[];
  /** Lets the worker, or the page's own thread, do something. Its errors are thrown here. */
  ask<Name extends keyof Questions>(
    name: Name,
    ...given: Parameters<Questions[Name]>
  ): ReturnType<Questions[Name]>;
}

export async function openHubPage(
  context: BrowserContext,
  url: string,
  endpoint: string,
  where: 'InWorker' | 'Here' = 'InWorker',
): Promise<HubPage> {
  const page = await context.newPage();
  const warnings: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'warning') warnings.push(message.text());
  });
  await page.goto(url);
  await page.waitForFunction('globalThis.answerInWorker');
  const ask = async (name: string, ...given: unknown[]) => {
    const asked = `answer${where}(${JSON.stringify(name)}, ${JSON.stringify(given)})`;
    const answer = (await page.evaluate(asked)) as { value?: unknown; code?: string; message: string };
    if (answer.code === undefined) return answer.value;
    if (answer.code === 'none') throw new Error(answer.message);
    throw Object.assign(new LincirError(answer.code as ErrorCode, { subject: '', expected: '', found: '' }), {
      message: answer.message,
    });
  };
  await ask('configure', { endpoint });
  return { page, warnings, ask: ask as HubPage['ask'] };
}
