/** The page's main states for everybody: what axe finds, light and dark, wide and narrow, and with nothing to show. */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser, BrowserContextOptions } from 'playwright-core';
import { expectAccessible, noBrowser, openBrowser, openPage, pictures, screenshot } from './browser.ts';
import { makeWorld, type World } from './world.ts';

const phone: BrowserContextOptions = {
  viewport: { width: 360, height: 740 },
  hasTouch: true,
  isMobile: true,
};

describe('states of the page', { skip: noBrowser }, () => {
  let world: World;
  let browser: Browser;

  before(async () => {
    if (noBrowser) return;
    [world, browser] = await Promise.all([makeWorld({ withPhi: false }), openBrowser()]);
  });
  after(async () => {
    await browser?.close();
    await world?.close();
  });

  // Each costs seconds. What is wrong with a colour or a size shows in one of the two.
  for (const [size, colorScheme, options] of [
    ['wide', 'light', {}],
    ['phone', 'dark', phone],
  ] as const) {
    test(`${size}, ${colorScheme}`, async () => {
      const { page, close, expectErrors } = await openPage(browser, { ...options, colorScheme });
      expectErrors(/status of 400/);
      const look = async (state: string) => {
        await expectAccessible(page, state);
        assert.equal(await page.evaluate(overflow), 0, `${state}: nothing is cut off at the side`);
        await screenshot(page, `${size}-${colorScheme}-${state}`);
      };
      await page.goto(world.url);
      const first = page.getByRole('button', { name: /^Search with drawing/ }).first();
      await first.waitFor();
      await pictures(page);
      await look('start');
      await first.click();
      await page.getByRole('gridcell').nth(5).waitFor();
      await page.getByLabel(/^Words/).fill('but at sunset');
      await page.getByLabel(/^Words/).press('Enter');
      await page.getByText('Pictures and words are only mixed here').waitFor();
      await page.locator('[role=grid][aria-busy=false]').waitFor(); // until then it is pale
      await pictures(page);
      await look('results without phi');
      await page.getByRole('button', { name: 'Filter', exact: true }).click();
      await page.getByRole('button', { name: 'Add condition' }).click();
      await look('filter');
      await page.getByRole('button', { name: 'More options' }).click();
      await look('options');
      await page.getByRole('button', { name: 'More options' }).click();
      await page.getByRole('gridcell').nth(2).getByRole('link').click();
      await page.locator('dialog img.original:not(.waiting)').waitFor();
      await look('lightbox');
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: 'Help' }).click();
      await look('help');
      await page.keyboard.press('Escape');
      await page.goto(`${world.url}?q=heart&min=0.99`);
      await page.getByText('No image has a score of').waitFor();
      await look('nothing');
      await page.goto(`${world.url}?q=heart&where=${encodeURIComponent('no such column = 1')}`);
      await page.getByText('This cannot be searched yet').waitFor();
      await look('problem');
      await close();
    });
  }
});

/** Pixels that one would have to scroll sideways. */
const overflow = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';
