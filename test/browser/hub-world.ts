/** What tests of models in pages begin with: a fake hub with a large model, and a Chromium that keeps nothing of other tests. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import type { Browser, BrowserContext } from 'playwright-core';
import { FakeHub, type FakeModel } from '../fake-hub.ts';
import { noBrowser, openBrowser } from '../page/browser.ts';
import { type HubPage, openHubPage, type Site, serveHubPage } from './hub-pages.ts';

/** Of `src/browser/blocks.ts`. */
export const blockLength = 4 * 2 ** 20;
export const id = 'acme/large-clip';
export const commit = 'c'.repeat(40);
/** Two blocks and a half, random enough to tell them apart. */
export const weights = Buffer.alloc(Math.floor(2.5 * blockLength));
for (let at = 0; at < weights.length; at += 1) weights[at] = (at * 2_654_435_761) >>> 13;
export const smallFiles = {
  'config.json': '{"model_type": "clip"}',
  'preprocessor_config.json': '{}',
  'tokenizer.json': '{"model": {}}',
};
export const large: FakeModel = {
  id,
  commit,
  files: {
    ...smallFiles,
    'model.safetensors': weights,
    'pytorch_model.bin': 'not needed',
    'README.md': 'nor this',
  },
  large: ['model.safetensors'],
  facts: { gated: false, cardData: { license: 'mit' }, safetensors: { parameters: { F32: 7 } } },
};
export const allBytes = [...Object.values(smallFiles), weights].reduce((sum, { length }) => sum + length, 0);

export const hashOf = (content: string | Buffer) => createHash('sha256').update(content).digest('hex');
export const hashes = Object.fromEntries(
  Object.entries({ ...smallFiles, 'model.safetensors': weights }).map(([name, text]) => [name, hashOf(text)]),
);

/** Weights of 65 MiB, which are read in parts before their hash is known. */
export const hugeWeights = Buffer.alloc(65 * 2 ** 20, weights);
export const huge: FakeModel = { ...large, files: { ...large.files, 'model.safetensors': hugeWeights } };

export interface World {
  readonly hub: FakeHub;
  readonly context: BrowserContext;
  /** The page's address. */
  readonly url: string;
  open(where?: 'InWorker' | 'Here'): Promise<HubPage>;
  /** The ranges of the weights that were asked for since the last call. */
  ranges(): string[];
}

/** Begins a file of tests: they run one after the other in this browser. */
export function inBrowser(flags?: readonly string[]) {
  let browser: Browser;
  let site: Site;
  before(async () => {
    if (noBrowser) return;
    [browser, site] = await Promise.all([openBrowser(flags), serveHubPage()]);
  });
  after(async () => {
    site?.close();
    await browser?.close();
  });
  return function check(name: string, run: (world: World) => Promise<void>, models = [large]): void {
    test(name, { skip: noBrowser }, async () => {
      await using hub = await FakeHub.start(...models);
      hub.isOpenToPages = true;
      const context = await browser.newContext();
      const pages: HubPage[] = [];
      let seen = 0;
      try {
        await run({
          ...{ hub, context, url: site.url },
          async open(where) {
            const page = await openHubPage(context, site.url, hub.endpoint, where);
            pages.push(page);
            return page;
          },
          ranges() {
            const requests = hub.requests.slice(seen);
            seen = hub.requests.length;
            return requests
              .filter(({ host, path }) => host === 'storage' && path.endsWith('/model.safetensors'))
              .map(({ range = 'all' }) => range)
              .sort();
          },
        });
        const warnings = pages.flatMap((page) => page.warnings);
        assert.deepEqual(
          warnings.filter((text) => text.startsWith('nobody')),
          [],
        );
        assert.ok(hub.requests.every(({ method, authorization }) => method === 'GET' && !authorization));
      } finally {
        await context.close();
      }
    });
  };
}
