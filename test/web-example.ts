/** The example for browsers (`examples/web`), built and opened in Chromium: what its page finds must be what Node finds. */

import assert from 'node:assert/strict';
import { cpSync, mkdirSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Page } from 'playwright-core';
import { preview } from 'vite';
import { loadClip } from '../src/clip/index.ts';
import { compose, type Query } from '../src/composition/index.ts';
import { loadPhi } from '../src/phi/index.ts';
import { openBrowser, openPage } from './page/browser.ts';

const root = resolve(import.meta.dirname, '..');
const mini = join(root, 'models/mini');

/** Copies the example into a folder, beside a `node_modules` with its dependencies. */
export function copyExample(folder: string, lincir: string): void {
  const isSource = (path: string) => !/[\\/](node_modules|dist|mini)$/.test(path);
  cpSync(join(root, 'examples/web'), folder, { recursive: true, filter: isSource });
  const modules = join(folder, 'node_modules');
  mkdirSync(modules);
  symlinkSync(lincir, join(modules, 'lincir'), 'junction');
  for (const name of ['onnxruntime-web', 'vite', 'typescript']) {
    symlinkSync(join(root, 'node_modules', name), join(modules, name), 'junction');
  }
}

/** Opens the built example, asks with a picture of the page and with a file, and compares the vectors with Node's. */
export async function expectAnswers(folder: string): Promise<void> {
  const server = await preview({ root: folder, logLevel: 'silent', preview: { host: '127.0.0.1', port: 0 } });
  const browser = await openBrowser();
  try {
    const { page, close } = await openPage(browser);
    await page.addInitScript(keepAnswers);
    await page.goto(server.resolvedUrls!.local[0]!);
    const picture = (name: string) => join(folder, 'public/pictures', `${name}.png`);
    await expectSame(await answer(page, 'in the snow'), picture('green-triangle-at-night'), 'in the snow');
    assert.equal(
      await page.locator('#results img').first().getAttribute('alt'),
      'green triangle in the snow',
    );
    assert.equal(await page.evaluate('crossOriginIsolated'), true);

    await page.locator('#words input').fill('is orange');
    await page.locator('#reference input').setInputFiles(picture('green-moon-at-night'));
    await expectSame(await answer(page, 'is orange'), picture('green-moon-at-night'), 'is orange');
    await close();
  } finally {
    await browser.close();
    await server.close();
  }
}

/** For the page: keeps what the worker answers. */
const keepAnswers = `
  globalThis.Worker = class extends Worker {
    constructor(...given) {
      super(...given);
      this.addEventListener('message', ({ data }) => {
        if (data.kind === 'found') globalThis.found = { prompt: data.query.prompt, vector: [...data.query.vector] };
        if (data.kind === 'failed') globalThis.found = data.message;
      });
    }
  };`;

interface Found {
  readonly prompt: string;
  readonly vector: readonly number[];
}

async function answer(page: Page, text: string): Promise<Found> {
  const isThere = `typeof globalThis.found === 'string' || globalThis.found?.prompt.endsWith(${JSON.stringify(text)})`;
  await page.waitForFunction(isThere, undefined, { timeout: 60_000 });
  return (await page.evaluate('found')) as Found;
}

async function expectSame(found: Found, picture: string, text: string): Promise<void> {
  const expected = await composedHere(picture, text);
  assert.equal(found.prompt, expected.prompt, `${found}`);
  assert.equal(found.vector.length, expected.vector.length);
  const largest = expected.vector.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  for (const [at, value] of expected.vector.entries()) {
    assert.ok(
      Math.abs(found.vector[at]! - value) < 2e-5 * largest,
      `${at}: ${found.vector[at]}, not ${value}`,
    );
  }
}

async function composedHere(picture: string, text: string): Promise<Query> {
  const clip = await loadClip(mini);
  const phi = await loadPhi(join(mini, 'phi.safetensors'), { clip });
  const query = await compose({ clip, phi, images: [picture], text });
  await phi.dispose();
  await clip.dispose();
  return query;
}
