/** What the tests of own photos share: the built site, a hub, Chromium, and what a person does on the page. */

import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, type TestContext } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { build } from 'vite';
import { FakeHub } from '../fake-hub.ts';
import { noBrowser, openBrowser, openPage } from '../page/browser.ts';
import { makeFolder, picture } from './folder.ts';
import { type Host, hostSite } from './host.ts';

export const skip = noBrowser;
export const model = join(import.meta.dirname, '../fixtures/tiny-clip');

interface World {
  /** Where tests may put folders. */
  readonly work: string;
  /** The built site. */
  readonly site: string;
  readonly host: Host;
  readonly hub: FakeHub;
  readonly browser: Browser;
  /** Of the pictures in the folder `Holidays`. */
  readonly paths: readonly string[];
}

/** Set before the first test. */
export let world: World;

before(async () => {
  if (skip) return;
  const work = await mkdtemp(join(tmpdir(), 'lincir-photos-'));
  const site = join(work, 'site');
  const files = ['config.json', 'model.safetensors', 'preprocessor_config.json', 'tokenizer.json'];
  const hub = await FakeHub.start({
    id: 'openai/clip-vit-base-patch32',
    commit: 'c'.repeat(40),
    files: Object.fromEntries(files.map((name) => [name, readFileSync(join(model, name))])),
  });
  hub.isOpenToPages = true;
  process.env.HF_ENDPOINT = hub.endpoint; // the build takes it
  await build({
    configFile: join(import.meta.dirname, '../../web/site/vite.config.ts'),
    build: { outDir: site, emptyOutDir: true },
  });
  const paths = await makeFolder(work);
  world = { work, site, host: await hostSite(site), hub, browser: await openBrowser(), paths };
});
after(async () => {
  if (world === undefined) return;
  await world.browser.close();
  await world.hub[Symbol.asyncDispose]();
  await world.host[Symbol.asyncDispose]();
  await rm(world.work, { recursive: true, force: true });
});

/** A page where the browser has no picker of folders, but a file input. */
export async function visit(t: TestContext, address = world.host.address) {
  const watched = await openPage(world.browser);
  t.after(() => watched.close());
  await watched.page.addInitScript('delete window.showDirectoryPicker');
  await watched.page.goto(`${address}photos.html`);
  return watched;
}

export async function giveModel(page: Page, folder = model): Promise<void> {
  await page.locator('input[aria-label="Use a model from your disk"]').setInputFiles(folder);
}

export async function giveFolder(page: Page, folder = join(world.work, 'Holidays')): Promise<void> {
  await page.locator('input[aria-label$="a folder"]').setInputFiles(folder);
}

/** A page where the browser has pickers, which choose folders of the browser's own: `Model`, and the one that `pick` has named. */
export async function visitWithPicker(t: TestContext, address = world.host.address) {
  const watched = await openPage(world.browser);
  const { page } = watched;
  t.after(() => watched.close());
  await page.addInitScript(`
    window.folderIn = async (path) => {
      let folder = await navigator.storage.getDirectory();
      for (const name of path.split('/')) folder = await folder.getDirectoryHandle(name, { create: true });
      return folder;
    };
    window.picked = localStorage.picked ?? 'Pictures';
    window.showDirectoryPicker = ({ id }) => folderIn(id === 'lincir-model' ? 'Model' : window.picked);`);
  await page.goto(`${address}photos.html`);
  const names = ['config.json', 'model.safetensors', 'preprocessor_config.json', 'tokenizer.json'];
  await putFiles(
    page,
    'Model',
    Object.fromEntries(names.map((name) => [name, readFileSync(join(model, name))])),
  );
  return watched;
}

export async function pickModel(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Use a model from your disk' }).click();
}

export async function pickFolder(page: Page, path = 'Pictures'): Promise<void> {
  await page.evaluate(`window.picked = ${JSON.stringify(path)}`);
  await page.getByRole('button', { name: /^(Choose|Add) a folder$/ }).click();
}

/** Puts pictures into one of the browser's own folders. */
export async function putPictures(page: Page, folder: string, numbers: readonly number[]): Promise<void> {
  const all = numbers.map(async (number) => [`${number}.png`, await picture(number)] as const);
  await putFiles(page, folder, Object.fromEntries(await Promise.all(all)));
}

export async function putFiles(
  page: Page,
  folder: string,
  files: Readonly<Record<string, Buffer>>,
): Promise<void> {
  const encoded = Object.entries(files).map(([name, bytes]) => [name, bytes.toString('base64')]);
  await page.evaluate(`(async () => {
    const folder = await folderIn(${JSON.stringify(folder)});
    for (const [name, base64] of ${JSON.stringify(encoded)}) {
      const writable = await (await folder.getFileHandle(name, { create: true })).createWritable();
      await writable.write(Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0)));
      await writable.close();
    }
  })()`);
}

/** Removes a file or a folder, with all that is in it. */
export async function removeFiles(page: Page, folder: string, names: readonly string[]): Promise<void> {
  await page.evaluate(`folderIn(${JSON.stringify(folder)}).then((folder) =>
    Promise.all(${JSON.stringify(names)}.map((name) => folder.removeEntry(name, { recursive: true }))))`);
}

export async function search(page: Page, words: string): Promise<{ name: string; score: number }[]> {
  await page.locator('#words').fill(words);
  await page.locator('#words').press('Enter');
  await page.locator('.grid .tile').first().waitFor();
  await page.locator('.status p', { hasText: 'image' }).waitFor();
  const labels = await page
    .locator('.grid .picture')
    .evaluateAll((all) => all.map((one) => one.getAttribute('aria-label') ?? ''));
  return labels.map((label) => {
    const [, name = '', score] = /^\d+: (.*), score (-?[\d.]+)/.exec(label) ?? [];
    return { name, score: Number(score) };
  });
}

export async function expectText(page: Page, text: string | RegExp): Promise<void> {
  await page.getByText(text).first().waitFor();
}
