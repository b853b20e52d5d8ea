/** The page of the miniature world, as visitors use it, in a real Chromium. */

import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { Browser, Page } from 'playwright-core';
import {
  expectAccessible,
  noBrowser,
  openBrowser,
  openPage,
  screenshot,
  type WatchedPage,
} from '../page/browser.ts';
import { buildSite, type Host, host, type Site } from './site.ts';

describe('the page of the miniature world', { skip: noBrowser }, () => {
  let site: Site;
  let browser: Browser;
  let server: Host;
  let watched: WatchedPage;
  let page: Page;
  let foreign: string[];

  before(async () => {
    if (noBrowser) return;
    [site, browser] = await Promise.all([buildSite(), openBrowser()]);
    server = await host(site.folder, { isolated: true });
  });
  after(async () => {
    await browser?.close();
    await server?.close();
    await site?.close();
  });
  beforeEach(async () => {
    watched = await openPage(browser);
    page = watched.page;
    foreign = [];
    page.context().on('request', (request) => {
      const address = request.url();
      if (!address.startsWith(server.url) && !/^(?:data|blob):/.test(address)) foreign.push(address);
    });
  });
  afterEach(async (context) => {
    server.broken = undefined;
    if ('error' in context && context.error) await screenshot(page, `failed-${context.name.slice(0, 40)}`);
    assert.deepEqual(foreign, [], 'a request leaves the site');
    await watched.close();
  });

  const button = (name: string | RegExp) => page.getByRole('button', { name, exact: true });
  const words = () => page.getByLabel(/picture like this one/);
  const ranking = (name: string) => page.getByRole('region', { name });
  const hit = (name: string, rank: number) =>
    ranking(name).getByRole('button', { name: new RegExp(`^${rank}\\b`) });
  const reads = (text: string) => page.getByText(`that ${text}`, { exact: false }).first().waitFor();
  const open = async () => {
    await page.goto(server.url);
    await hit('LinCIR', 10).waitFor();
  };
  const step = async () =>
    Number(
      await page
        .locator('dt', { hasText: /^Step$/ })
        .locator('+ dd')
        .evaluate((dd) => parseInt(dd.textContent!, 10)),
    );
  const reachStep = async (wanted: number) => {
    for (let waited = 0; (await step()) < wanted; waited += 100) {
      assert.ok(waited < 120_000, `step ${wanted} is never done`);
      await page.waitForTimeout(100);
    }
  };

  test('the page has a policy, nothing inline, nothing from elsewhere, and a small script', async () => {
    const html = await readFile(join(site.folder, 'index.html'), 'utf8');
    assert.match(
      html,
      /http-equiv="Content-Security-Policy"\s+content="default-src 'none'; [^"]*connect-src 'self';/,
    );
    for (const [tag] of html.matchAll(/<(?:script|link)\b[^>]*>/g)) assert.match(tag, /(?:src|href)="\.\//);
    assert.doesNotMatch(html, /<style| style=| on\w+=|<script[^>]*>[^<]/);
    const scripts = [...html.matchAll(/(?:src|href)="\.\/(assets\/[^"]+\.js)"/g)].map(([, path]) => path!);
    const sizes = scripts.map(async (path) => gzipSync(await readFile(join(site.folder, path))).length);
    const total = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
    assert.ok(scripts.length > 0 && total <= 50_000, `${total} bytes`);
  });

  test('threads load the engine alone, not the worker that starts them', async () => {
    const assets = join(site.folder, 'assets');
    const engines = (await readdir(assets)).filter((name) => /^ort\..*\.js$/.test(name));
    assert.equal(engines.length, 2, `${engines}`);
    for (const name of engines) {
      assert.doesNotMatch(
        await readFile(join(assets, name), 'utf8'),
        /\bfrom ?["'`]\.|\bimport ?["'`]\./,
        name,
      );
    }
  });

  test('the first sight has a question, four rankings, and right answers marked', async () => {
    await open();
    assert.notEqual(await words().inputValue(), '');
    await hit('LinCIR', 1)
      .and(page.getByRole('button', { name: /a right answer/ }))
      .waitFor();
    for (const name of ['LinCIR', 'Sum', 'Image only', 'Text only']) {
      assert.equal(await ranking(name).getByRole('button').count(), 10, name);
    }
    await page.getByText(/agree to/).waitFor();
    for (const [width, colorScheme] of [
      [1400, 'light'],
      [390, 'dark'],
      [320, 'light'],
    ] as const) {
      await page.setViewportSize({ width, height: 900 });
      await page.emulateMedia({ colorScheme });
      await expectAccessible(page, `${width} px, ${colorScheme}`);
      const isTooWide = await page.evaluate('document.documentElement.scrollWidth > innerWidth');
      assert.equal(isTooWide, false, `${width} px`);
      await screenshot(page, `site-${width}-${colorScheme}`);
    }
  });

  test('words of one’s own, a drawing that was found, and another question', async () => {
    await open();
    await words().focus();
    await page.keyboard.press('Control+A');
    // No suggestion says it so, for those have right answers.
    await page.keyboard.type('but it is at night now.');
    await page.keyboard.press('Enter');
    await reads('is at night');
    await page.getByText('words of your own').waitFor();
    const first = await hit('LinCIR', 1).getAttribute('aria-label');
    assert.match(first!, /At night/);
    await hit('LinCIR', 1).click();
    await page
      .getByRole('img', { name: /^At night/ })
      .first()
      .waitFor();
    await button('Another').click();
    await page.getByText('A green tick marks').waitFor();
    await words().fill('');
    await page.getByText('This needs words.').first().waitFor();
  });

  test('a picture that is built, and one that is drawn', async () => {
    await open();
    await button('Build').click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('radio', { name: 'In the snow' }).check();
    await dialog.getByLabel('colour').first().selectOption('pink');
    await expectAccessible(page, 'building a picture');
    await dialog.getByRole('button', { name: 'Use this picture' }).click();
    await page
      .getByRole('img', { name: /^In the snow: .*pink/ })
      .first()
      .waitFor();
    await words().fill('is at sunset');
    await page.keyboard.press('Enter');
    await reads('is at sunset');
    assert.match((await hit('LinCIR', 1).getAttribute('aria-label'))!, /At sunset/);

    await button('Draw').click();
    await dialog.getByRole('radio', { name: 'blue' }).check();
    const box = (await page.getByRole('img', { name: 'Your drawing' }).boundingBox())!;
    await page.mouse.move(box.x + 60, box.y + 60);
    await page.mouse.down();
    await page.mouse.move(box.x + 120, box.y + 60);
    await page.mouse.up();
    await expectAccessible(page, 'drawing a picture');
    await dialog.getByRole('button', { name: 'Use this picture' }).click();
    await page.getByRole('img', { name: 'Your own drawing' }).first().waitFor();
    await page.locator('.rankings:not(.old)').waitFor();
  });

  test('it learns, stops, and goes on where it was after a reload', async () => {
    await open();
    await button('Learn').click();
    await reachStep(2);
    const answers = page.locator('.moment canvas');
    await answers.first().waitFor();
    await expectAccessible(page, 'learning');
    await button('Stop').click();
    await button('Go on').waitFor();
    const before = await step();
    await page.reload();
    await button('Go on').waitFor();
    assert.equal(await step(), before);
    await answers.first().waitFor();
    await button(/^Yours, at step/).click();
    await page.locator('.rankings:not(.old)').waitFor();
    await button('Go on').click();
    await reachStep(before + 1);
    await button('Stop').click();
    await button('Start over').click();
    await button('Learn').waitFor();
    assert.equal(await step(), 0);
    assert.equal(await answers.count(), 0);
  });

  test('a download that fails says so, and can be tried again', async () => {
    for (const how of ['refused', 'cut'] as const) {
      server.broken = { file: /\/world\//, how };
      await page.goto(server.url);
      await page.getByRole('alert').waitFor();
      await expectAccessible(page, how);
    }
    server.broken = undefined;
    await button('Try again').click();
    await hit('LinCIR', 10).waitFor();
    watched.expectErrors(/500/);
  });
});
