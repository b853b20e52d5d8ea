/** The page at `/api` in a real browser: it shows the operations and tries them, within its policy. */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { createApp, defaultSettings, type RunningServer, serve } from '../../src/server/index.ts';
import { fakeService } from '../fake-service.ts';
import { noBrowser, openBrowser, openPage } from './browser.ts';

describe("the API's page", { skip: noBrowser }, () => {
  let browser: Browser;
  let server: RunningServer;
  before(async () => {
    const settings = { ...defaultSettings, port: 0 };
    server = await serve(createApp(fakeService(), settings), settings);
    browser = await openBrowser();
  });
  after(async () => {
    await browser?.close();
    await server?.close(0);
  });

  test('shows what there is, and sends a query', async () => {
    const { page, close } = await openPage(browser);
    await page.goto(`${server.url}api`);
    await page.getByText('Find the images that match images and words').click();
    await page.getByRole('button', { name: 'Execute' }).click();
    const answer = page.locator('.live-responses-table');
    await answer.getByText('"hasMore"').waitFor();
    assert.match((await answer.textContent())!, /200/);
    await close();
  });
});
