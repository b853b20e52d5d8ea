/** Names from files and tables are text, wherever the page shows them: no script runs, no name pretends to be another. */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { noBrowser, openBrowser, openPage, screenshot } from './browser.ts';
import { hostileFolder, hostileNames, hostileValue, makeWorld, type World } from './world.ts';

describe('names on the page', { skip: noBrowser }, () => {
  let world: World;
  let browser: Browser;

  before(async () => {
    if (noBrowser) return;
    [world, browser] = await Promise.all([makeWorld(), openBrowser()]);
  });
  after(async () => {
    await browser?.close();
    await world?.close();
  });

  test('run no script and hide nothing', async () => {
    const { page, close } = await openPage(browser, { permissions: ['clipboard-write'] });
    const only = encodeURIComponent(`artist = '${hostileValue.replaceAll("'", "''")}'`);
    await page.goto(`${world.url}?q=${encodeURIComponent(hostileValue)}&where=${only}`);
    await page.getByText(`${hostileNames.length} images`).waitFor();
    const tiles = page.getByRole('gridcell');
    assert.equal(await tiles.count(), hostileNames.length);
    await expectNoMarkup(page);
    await screenshot(page, 'hostile-results');

    for (const at of hostileNames.keys()) {
      await tiles.nth(at).getByRole('link').click();
      const dialog = page.getByRole('dialog');
      await dialog.getByText('artist').waitFor();
      await expectNoMarkup(page);
      if (at === 0) await screenshot(page, 'hostile-lightbox');
      await dialog.getByRole('button', { name: 'Close' }).click();
    }
    const shown = await tiles.getByRole('link').evaluateAll((links) => links.map((link) => link.ariaLabel!));
    // Characters that turn the direction of writing or break lines are shown as what they are.
    for (const label of shown) assert.doesNotMatch(label, /[\p{Cc}\u202a-\u202e\u2066-\u2069]/u);

    await tiles.first().hover();
    await tiles
      .first()
      .getByRole('button', { name: /^Actions/ })
      .click();
    await expectNoMarkup(page);
    await page.getByRole('menuitem', { name: /^Show only folder/ }).click();
    await page.getByRole('button', { name: /^Remove: Filter folder/ }).waitFor();
    await expectNoMarkup(page);

    await page.getByRole('button', { name: 'Filter', exact: true }).click();
    for (const column of ['artist', 'folder', 'path']) {
      await page.getByLabel('Column of condition 1').selectOption(column);
      await page.getByRole('combobox', { name: 'Value of condition 1' }).click();
      await page.getByRole('listbox').getByRole('option').first().waitFor();
      await expectNoMarkup(page);
      await page.keyboard.press('Escape');
    }
    await page.getByRole('button', { name: 'Earlier searches' }).click();
    await page.getByRole('dialog').getByRole('button').nth(1).waitFor();
    await expectNoMarkup(page);
    await close();
  });

  test('of uploads are no different', async () => {
    const { page, close, expectErrors } = await openPage(browser);
    expectErrors(/status of 4\d\d/);
    await page.goto(world.url);
    const files = hostileNames.map((name) => ({
      name: name.replaceAll('/', '_'),
      mimeType: 'image/png',
      buffer: Buffer.from('no picture'),
    }));
    await page.getByLabel('Pictures', { exact: true }).setInputFiles(files);
    await page
      .getByRole('alert')
      .nth(files.length - 1)
      .waitFor();
    await expectNoMarkup(page);
    await close();
  });

  test('are no addresses', async () => {
    const { page, close, expectErrors } = await openPage(browser);
    expectErrors(/status of 4\d\d/);
    const id = '0123456789abcdef';
    await page.goto(
      `${world.url}?image=${id}&image=javascript:ran=1&view=javascript:ran=1&method=<b>&index=<b>`,
    );
    await page.getByRole('alert').first().waitFor();
    await expectNoMarkup(page);
    await page.goto(`${world.url}?q=heart#view=${encodeURIComponent(hostileFolder)}`);
    await page.getByRole('gridcell').first().waitFor();
    await expectNoMarkup(page);
    await close();
  });
});

/** No element came out of a name, and no script ran. */
async function expectNoMarkup(page: Page): Promise<void> {
  const foreign = `[...document.querySelectorAll('iframe, script:not([src]), [onerror], [onload], img[src="x"], a[href^="javascript:"], b')]
    .map((element) => element.outerHTML)`;
  assert.deepEqual(await page.evaluate(foreign), []);
  assert.equal(await page.evaluate(`'ran' in globalThis`), false, 'a script ran');
}
