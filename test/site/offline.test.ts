/** The site without a network, without headers from its host, in a new version, and on bad days: in a real Chromium. */

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { noBrowser, openBrowser, openPage, screenshot, type WatchedPage } from '../page/browser.ts';
import { buildSite, type Host, host, type Site } from './site.ts';

describe('the site, stored', { skip: noBrowser }, () => {
  let site: Site;
  let browser: Browser;
  let server: Host;
  let watched: WatchedPage;
  let page: Page;

  before(async () => {
    if (noBrowser) return;
    [site, browser] = await Promise.all([buildSite(), openBrowser()]);
  });
  after(async () => {
    await browser?.close();
    await site?.close();
  });
  beforeEach(async () => {
    server = await host(site.folder, { isolated: false });
    watched = await openPage(browser);
    page = watched.page;
  });
  afterEach(async (context) => {
    if ('error' in context && context.error) await screenshot(page, `failed-${context.name.slice(0, 40)}`);
    try {
      await watched.close();
    } finally {
      await server.close(); // a server that is left would keep the tests from ending
    }
  });

  const says = (text: string | RegExp) => page.getByText(text).first().waitFor();
  const stored = () => says('is stored in your browser');
  const answered = () =>
    page
      .getByRole('button', { name: /^1.*Search with this picture/ })
      .first()
      .waitFor();
  const isIsolated = () => page.evaluate('crossOriginIsolated');
  const cacheNames = () => page.evaluate('caches.keys()') as Promise<string[]>;

  test('a host without headers gives one thread at first, all with the next load, then no network is needed', async () => {
    let loads = 0;
    page.on('load', () => {
      loads += 1;
    });
    await page.goto(server.url);
    await answered();
    assert.equal(await isIsolated(), false);
    await says('on one thread');
    await stored();
    assert.equal(loads, 1, 'nothing reloads by itself');
    await says('Once the page is stored for offline use, reload it');
    await page.reload();
    await answered();
    assert.equal(await isIsolated(), true);
    await says(/up to \d+ threads/);

    // Workers get the page's policy: it stops what they ask of others before it leaves.
    const elsewhere = new URL('leak', server.url.replace('127.0.0.1', 'localhost')).href;
    for (const worker of page.workers()) {
      const reached = await worker.evaluate(`fetch('${elsewhere}').then(() => true, () => false)`);
      assert.equal(reached, false);
    }
    assert.ok(page.workers().length > 0);
    assert.deepEqual(
      server.asked.filter((path) => path.endsWith('leak')),
      [],
    );
    watched.expectErrors(/leak/);

    await server.close();
    await page.context().setOffline(true);
    await page.reload();
    await answered();
    await page.getByLabel(/picture like this one/).fill('is at night');
    await says('that is at night');
    assert.equal(loads, 3);
  });

  test('a download that breaks leaves nothing behind, and the next visit tries again', async () => {
    for (const how of ['refused', 'cut'] as const) {
      server.broken = { file: /photos\.html/, how };
      await page.goto(server.url);
      await says('did not work');
      assert.deepEqual(await cacheNames(), []);
    }
    server.broken = undefined;
    await page.reload();
    await stored();
    assert.equal((await cacheNames()).length, 1);
  });

  test('a new version replaces the old one as a whole, when the visitor wants it', async () => {
    await page.goto(server.url);
    await stored();
    const old = await cacheNames();

    server.folder = await site.newVersion('Broken');
    server.broken = { file: /index\.html$/, how: 'cut' };
    await page.reload();
    await stored();
    assert.doesNotMatch(await page.title(), /Broken/);
    assert.deepEqual(await cacheNames(), old);

    server.folder = await site.newVersion('Second');
    server.broken = undefined;
    server.asked.length = 0;
    await page.reload();
    await says('A new version of this page is here');
    assert.doesNotMatch(await page.title(), /Second/);
    const again = server.asked.filter((path) => /\/(?:assets|world)\//.test(path));
    assert.deepEqual(again, [], 'what has not changed does not come again');
    const loaded = page.waitForEvent('load');
    await page.getByRole('button', { name: 'Load it' }).click();
    await loaded;
    assert.equal(await page.title(), 'Second');
    await answered();
    const names = await cacheNames();
    assert.equal(names.length, 1);
    assert.notDeepEqual(names, old);
  });
});
