/** What people do on the page, in a real Chromium, against a real server. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { noBrowser, openBrowser, openPage, screenshot, type WatchedPage } from './browser.ts';
import { makeWorld, type World } from './world.ts';

describe('the page', { skip: noBrowser }, () => {
  let world: World;
  let browser: Browser;
  let watched: WatchedPage;
  let page: Page;

  before(async () => {
    if (noBrowser) return;
    [world, browser] = await Promise.all([makeWorld(), openBrowser()]);
  });
  after(async () => {
    await browser?.close();
    await world?.close();
  });
  beforeEach(async () => {
    watched = await openPage(browser);
    page = watched.page;
  });
  afterEach(async (context) => {
    if ('error' in context && context.error) await screenshot(page, `failed-${context.name.slice(0, 40)}`);
    await watched.close();
  });

  const words = () => page.getByLabel(/^Words/);
  const tiles = () => page.getByRole('gridcell');
  const chips = () => page.getByRole('list', { name: 'Pictures of the query' }).getByRole('listitem');
  const button = (name: string | RegExp) => page.getByRole('button', { name });
  const open = async (address = '') => {
    await page.goto(`${world.url}${address}`);
    await words().waitFor();
  };
  /** Does something, and waits for the search that it causes. */
  const searching = async (act: () => Promise<unknown>) => {
    const answer = page.waitForResponse((response) => {
      if (!response.url().endsWith('/api/v1/search')) return false;
      // The start page looks for images to show, and may still do so.
      const { vector, filter } = response.request().postDataJSON() as Record<string, unknown>;
      return vector === undefined || filter !== undefined;
    });
    await act();
    const response = await answer;
    const asked = response.request().postDataJSON() as Record<string, unknown>;
    return { asked, status: response.status() };
  };
  const write = (text: string) =>
    searching(async () => {
      await words().fill(text);
      await words().press('Enter');
    });
  /** The names of the first results, when they are there. */
  const firstNames = async (count = 3) => {
    await tiles()
      .nth(count - 1)
      .waitFor();
    const labels = await tiles()
      .getByRole('link')
      .evaluateAll((links) => links.map((link) => link.getAttribute('aria-label')!));
    return labels.slice(0, count).map((label) => /^\d+: (.+?), score/s.exec(label)![1]!);
  };
  /** Starts from one of the index's own images. */
  const startFromImage = async () => {
    await open();
    const first = button(/^Search with drawing/).first();
    await first.waitFor();
    return await searching(() => first.click());
  };
  const choose = async (name: string | RegExp, tile = 0) => {
    await tiles().nth(tile).hover();
    await tiles()
      .nth(tile)
      .getByRole('button', { name: /^Actions/ })
      .click();
    await page.getByRole('menuitem', { name }).click();
  };
  const action = (name: string | RegExp, tile = 0) => searching(() => choose(name, tile));

  test('begins with images to start from, and searches with one', async () => {
    const { asked, status } = await startFromImage();
    assert.equal(status, 200);
    assert.equal((asked.images as unknown[]).length, 1);
    assert.equal(await chips().count(), 1);
    await tiles().nth(5).waitFor();
    await screenshot(page, 'results');
  });

  test('takes pictures that are picked, dropped and pasted', async () => {
    await open();
    const picked = await searching(() =>
      page.getByLabel('Pictures', { exact: true }).setInputFiles(world.drawings[0]!),
    );
    assert.deepEqual(Object.keys((picked.asked.images as object[])[0]!), ['upload']);
    await firstNames();
    for (const [at, kind] of (['drop', 'paste'] as const).entries()) {
      const bytes = (await readFile(world.drawings[at + 1]!)).toString('base64');
      await searching(() => page.evaluate(givePicture(kind, bytes)));
      assert.equal(await chips().count(), at + 2);
    }
    assert.match(page.url(), /image=upload/);
  });

  test('says what is wrong with a file that is no picture, and goes on', async () => {
    await open();
    watched.expectErrors(/status of 4\d\d/);
    const noPicture = { name: 'notes.png', mimeType: 'image/png', buffer: Buffer.from('no picture') };
    await page.getByLabel('Pictures', { exact: true }).setInputFiles(noPicture);
    await page.getByRole('alert').waitFor();
    await button('Remove notes.png').click();
    assert.equal((await write('a heart')).status, 200);
  });

  test('changes a picture with words, and refines', async () => {
    await startFromImage();
    watched.expectErrors(/status of 400/); // while two pictures are not named
    const { asked, status } = await write('but at sunset');
    assert.equal(status, 200);
    assert.equal(asked.text, 'but at sunset');
    const more = await action('More like this', 1);
    assert.equal((more.asked.more as unknown[]).length, 1);
    const less = await action('Not this', 3);
    assert.equal((less.asked.less as unknown[]).length, 1);
    await page.getByRole('list', { name: 'More like these' }).waitFor();
    await choose('Add as $2', 2);
    await page.getByText('say which is which').waitFor();
    assert.equal(await chips().count(), 2);
    await button(/^Write “/).click();
    await page.getByText('say which is which').waitFor({ state: 'detached' });
    await searching(() => words().press('Enter'));
    assert.match(await words().inputValue(), /\$1.*\$2/);
    const alone = await action('Use as reference', 0);
    assert.equal((alone.asked.images as unknown[]).length, 1);
    assert.equal(await chips().count(), 1);
  });

  test('filters by columns, with their own values as suggestions', async () => {
    await startFromImage();
    await button('Filter').click();
    await button('Add condition').click();
    await page.getByLabel('Column of condition 1').selectOption('artist');
    await page.getByRole('combobox', { name: 'Value of condition 1' }).click();
    const { asked } = await searching(() => page.getByRole('option', { name: /^Ada/ }).click());
    assert.equal(asked.filter, "artist = 'Ada'");
    assert.equal((await firstNames(5)).length, 5);
    await screenshot(page, 'filter');
    await button('Remove: Filter artist is Ada').click();
    await page.getByText('47 images').waitFor();
  });

  test('shows what is wrong with a filter, where it is', async () => {
    watched.expectErrors(/status of 400/);
    await open('?q=a+heart&where=no+such+column+%3D+1');
    await page.getByText('This cannot be searched yet').waitFor();
    await page.locator('#filter-hint.problem').waitFor();
  });

  test('cuts by score, and says so when nothing is left', async () => {
    await startFromImage();
    await open(`${page.url().slice(world.url.length)}&min=0.999`);
    await page.getByText('No image has a score of').waitFor();
    await button('Show all scores').click();
    assert.equal((await firstNames()).length, 3);
  });

  test('undoes, goes back and forward, and keeps the query in the address', async () => {
    await open();
    await write('a heart');
    const first = await firstNames();
    await write('a house in the snow');
    const second = await firstNames();
    await button('Undo').click();
    await page.waitForURL(/q=a\+heart$/);
    assert.equal(await words().inputValue(), 'a heart');
    assert.deepEqual(await firstNames(), first);
    await page.goForward();
    await page.waitForURL(/snow/);
    await page.goBack();
    await page.waitForURL(/q=a\+heart$/);
    await page.reload();
    assert.deepEqual(await firstNames(), first);
    const other = await openPage(browser);
    await other.page.goto(`${world.url}?q=a+house+in+the+snow`);
    await other.page.getByRole('gridcell').nth(2).waitFor();
    assert.match(
      (await other.page.getByRole('gridcell').first().getByRole('link').getAttribute('aria-label'))!,
      new RegExp(second[0]!),
    );
    await other.close();
    await button('Earlier searches').click();
    await searching(() =>
      page.getByRole('dialog').getByRole('button', { name: 'a house in the snow' }).click(),
    );
    assert.equal(await words().inputValue(), 'a house in the snow');
  });

  test('needs no mouse', async () => {
    await open();
    const press = (keys: string) => page.keyboard.press(keys);
    await page.locator('body').press('/');
    await page.keyboard.type('a heart');
    await searching(() => press('Enter'));
    await firstNames();
    await tabTo(page, '[role=gridcell] a');
    await press('ArrowRight');
    const reference = await searching(() => press('u'));
    assert.equal((reference.asked.images as unknown[]).length, 1);
    await firstNames();
    await tabTo(page, '[role=gridcell] a');
    await press('Enter');
    const dialog = page.getByRole('dialog');
    await dialog.waitFor();
    const place = async () => Number(/^\d+/.exec(await dialog.getByText(/^\d+ of/).innerText())![0]);
    const before = await place();
    await press('ArrowRight');
    await dialog.getByText(`${before + 1} of`).waitFor();
    await press('Escape');
    await dialog.waitFor({ state: 'hidden' });
    assert.equal(await page.evaluate(`document.activeElement.closest('[role=gridcell]') !== null`), true);
    await press('Control+z');
    await chips().first().waitFor({ state: 'detached' });
    await press('?');
    await page.getByRole('dialog', { name: 'How to search' }).waitFor();
    await press('Escape');
  });

  test('shows an image large, with its facts and neighbours', async () => {
    await startFromImage();
    await firstNames();
    await tiles().first().getByRole('link').click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('artist').waitFor();
    await dialog.locator('img.original:not(.waiting)').waitFor();
    await screenshot(page, 'lightbox');
    await dialog.getByRole('button', { name: 'Next image' }).click();
    await dialog.getByText('2 of').waitFor();
    await page.reload();
    await dialog.getByText('2 of').waitFor();
    await searching(() => dialog.getByRole('button', { name: 'Use as reference' }).click());
    await dialog.waitFor({ state: 'hidden' });
  });

  test('tells that the server is away, and goes on when it is back', async () => {
    await open();
    watched.expectErrors(/ERR_|Failed to load|status of 5\d\d/);
    await world.stopServer();
    try {
      await words().fill('a heart');
      await words().press('Enter');
      await page
        .getByText(/does not answer|not reach|Trying again/)
        .first()
        .waitFor();
      await screenshot(page, 'away');
    } finally {
      await world.startServer();
    }
    await firstNames();
  });
});

/** A script for the page that gives it a picture as a drop or from the clipboard. */
function givePicture(kind: 'drop' | 'paste', base64: string): string {
  return `(async () => {
    const bytes = Uint8Array.from(atob('${base64}'), (one) => one.charCodeAt(0));
    const transfer = new DataTransfer();
    transfer.items.add(new File([bytes], '${kind}.png', { type: 'image/png' }));
    const init = { bubbles: true, cancelable: true };
    if ('${kind}' === 'paste') document.body.dispatchEvent(new ClipboardEvent('paste', { ...init, clipboardData: transfer }));
    else for (const type of ['dragenter', 'dragover', 'drop']) document.body.dispatchEvent(new DragEvent(type, { ...init, dataTransfer: transfer }));
  })()`;
}

/** Presses Tab until the focus is on what matches. */
async function tabTo(page: Page, selector: string): Promise<void> {
  for (let presses = 0; presses < 60; presses += 1) {
    if (await page.evaluate(`document.activeElement?.matches('${selector}') ?? false`)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`Tab does not lead to ${selector}`);
}
