/** Both pages of the site in Firefox, as visitors use them: with the headers for threads, and without. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { FakeHub } from '../fake-hub.ts';
import { openPage } from '../page/browser.ts';
import { makeFolder, pictureCount } from '../photos/folder.ts';
import { hostSite } from '../photos/host.ts';
import { buildSite, host, type Site } from '../site/site.ts';
import { chooseFolder, noFirefox, openFirefox } from './firefox.ts';

const model = join(import.meta.dirname, '../fixtures/tiny-clip');

describe('the site in Firefox', { skip: noFirefox }, () => {
  let work: string;
  let site: Site;
  let hub: FakeHub;
  let browser: Browser;

  before(async () => {
    work = await mkdtemp(join(tmpdir(), 'lincir-firefox-'));
    await makeFolder(work);
    const files = ['config.json', 'model.safetensors', 'preprocessor_config.json', 'tokenizer.json'];
    hub = await FakeHub.start({
      id: 'openai/clip-vit-base-patch32',
      commit: 'c'.repeat(40),
      files: Object.fromEntries(files.map((name) => [name, readFileSync(join(model, name))])),
    });
    hub.isOpenToPages = true;
    process.env.HF_ENDPOINT = hub.endpoint; // the build takes it
    [site, browser] = await Promise.all([buildSite(), openFirefox()]);
  });
  after(async () => {
    await browser?.close();
    await site?.close();
    await hub?.[Symbol.asyncDispose]();
    if (work) await rm(work, { recursive: true, force: true });
  });

  async function visit(t: TestContext, address: string, expected?: RegExp): Promise<Page> {
    const { page, close, expectErrors } = await openPage(browser);
    t.after(close);
    if (expected) expectErrors(expected);
    page.context().setDefaultTimeout(120_000);
    await page.goto(address);
    return page;
  }

  const says = (page: Page, text: string | RegExp) => page.getByText(text).first().waitFor();
  const press = (page: Page, name: string | RegExp) =>
    page.getByRole('button', { name, exact: true }).first().click();
  const answered = (page: Page) =>
    page.getByRole('region', { name: 'LinCIR' }).getByRole('button', { name: /^10\b/ }).waitFor();

  test('the miniature world answers, with threads learns while it answers, stops, and goes on', async (t) => {
    const server = await host(site.folder, { isolated: true });
    t.after(() => server.close());
    const page = await visit(t, server.url);
    await answered(page);
    await press(page, 'Build');
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('radio', { name: 'In the snow' }).check();
    await dialog.getByRole('button', { name: 'Use this picture' }).click();

    const steps = page.locator('dt', { hasText: /^Step$/ }).locator('+ dd');
    const step = async () => Number.parseInt((await steps.textContent())!, 10);
    const beyond = async (least: number) => {
      while ((await step()) <= least) await page.waitForTimeout(100);
    };
    await says(page, /up to \d+ threads/);
    await press(page, 'Learn');
    await beyond(0);
    await page.getByLabel(/picture like this one/).fill('is at sunset');
    await says(page, 'that is at sunset');
    await press(page, 'Stop');
    await page.getByRole('button', { name: 'Go on' }).waitFor();
    const before = await step();
    await page.reload();
    await page.getByRole('button', { name: 'Go on' }).waitFor();
    assert.equal(await step(), before);
    await press(page, 'Go on');
    await beyond(before);
  });

  test('without headers it has threads once it is stored, and then needs no network', async (t) => {
    const server = await host(site.folder, { isolated: false });
    t.after(() => server.close());
    // Firefox tells so of a request that a reload has cut off. It names none then.
    const page = await visit(t, server.url, /Failed to load ‘’\. A ServiceWorker intercepted the request/);
    await answered(page);
    await says(page, 'on one thread');
    await says(page, 'is stored in your browser');
    await page.reload();
    await answered(page);
    await says(page, /up to \d+ threads/);
    await server.close();
    await page.reload();
    await answered(page);
    await page.getByLabel(/picture like this one/).fill('is at night');
    await says(page, 'that is at night');
  });

  test('own photos: a model of the hub, a folder, and a search', async (t) => {
    await using server = await hostSite(site.folder, { isIsolated: false });
    const page = await visit(t, `${server.address}photos.html`);
    await press(page, 'Get base');
    await says(page, 'It computes on the processor');
    await chooseFolder(page, 'input[aria-label$="a folder"]', join(work, 'Holidays'));
    await says(page, `${pictureCount} added, 1 could not be decoded`);
    await page.locator('#words').fill('a red bird');
    await page.locator('#words').press('Enter');
    await says(page, `${pictureCount} images`);
    assert.ok((await page.locator('.grid .tile').count()) > 0);
  });
});
