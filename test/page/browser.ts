/** A real Chromium for the page's tests, with an eye on what must not happen: errors, dialogs, breaches of the policy. */

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

const path = process.env.LINCIR_TEST_CHROMIUM ?? '/usr/bin/chromium';

/** Why tests of the page cannot run here, or false. */
export const noBrowser = existsSync(path) ? false : `there is no Chromium at ${path} (LINCIR_TEST_CHROMIUM)`;

/** Where screenshots go. They stay if a test fails, or if LINCIR_TEST_SCREENSHOTS names a folder. */
const screenshots =
  process.env.LINCIR_TEST_SCREENSHOTS ?? join(tmpdir(), `lincir-screenshots-${process.pid}`);

/** @param flags beside what every test needs */
export async function openBrowser(flags: readonly string[] = ['--disable-gpu']): Promise<Browser> {
  await mkdir(screenshots, { recursive: true });
  const quiet = ['quic', 'background-networking', 'component-update', 'sync'].map(
    (name) => `--disable-${name}`,
  );
  return await chromium.launch({
    executablePath: path,
    args: ['--headless', '--no-sandbox', '--no-first-run', ...quiet, ...flags],
  });
}

export interface WatchedPage {
  readonly page: Page;
  /** What a test expects to go wrong. Anything else fails it. */
  expectErrors(pattern: RegExp): void;
  /** Fails if a script ran that should not, or anything went wrong; then closes it. */
  close(): Promise<void>;
}

/** A page in a context of its own: nothing is remembered from others. */
export async function openPage(browser: Browser, options: BrowserContextOptions = {}): Promise<WatchedPage> {
  const context = await browser.newContext({ viewport: { width: 1100, height: 800 }, ...options });
  context.setDefaultTimeout(45_000);
  const page = await context.newPage();
  const faults: string[] = [];
  const expected: RegExp[] = [];
  page.on('pageerror', (error) => faults.push(`${error}`));
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(`${message.text()} ${message.location().url}`);
  });
  page.on('dialog', (dialog) => {
    faults.push(`a dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  return {
    page,
    expectErrors: (pattern) => expected.push(pattern),
    async close() {
      const ran = await page.evaluate(() => 'ran' in globalThis).catch(() => false);
      await context.close();
      assert.equal(ran, false, 'a script ran out of a name');
      const others = faults.filter((fault) => !expected.some((pattern) => pattern.test(fault)));
      assert.deepEqual(others, []);
    },
  };
}

export async function screenshot(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: join(screenshots, `${name}.png`) });
}

/** Fails with what axe finds against WCAG 2.2 AA, and for buttons and fields that are smaller than 24 px. */
export async function expectAccessible(page: Page, state: string): Promise<void> {
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
  const { violations } = await new AxeBuilder({ page }).withTags(tags).analyze();
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`);
  assert.deepEqual(found, [], state);
  assert.deepEqual(await page.evaluate(smallTargets), [], `${state}: targets of less than 24 px`);
}

/** A script for the page. It is text, since only browsers know these names. */
const smallTargets = `[...document.querySelectorAll('button, a[href], input, select, textarea, summary')]
  .filter((target) => {
    const { width, height } = (target.closest('label') ?? target).getBoundingClientRect();
    const isThere = width > 1 && target.checkVisibility({ checkVisibilityCSS: true, checkOpacity: true });
    const isInText = getComputedStyle(target).display === 'inline'; // WCAG 2.5.8 excepts it
    return isThere && !isInText && (width < 23.9 || height < 23.9);
  })
  .map((target) => target.outerHTML.slice(0, 200))`;

/** Waits until the pictures on the screen are there. */
export async function pictures(page: Page): Promise<void> {
  const missing = `[...document.querySelectorAll('img.thumbnail')].filter((image) =>
    image.getBoundingClientRect().top < innerHeight && !(image.complete && image.naturalWidth > 0)).length`;
  for (let waited = 0; (await page.evaluate(missing)) !== 0; waited += 50) {
    if (waited > 15_000) throw new Error('pictures are missing');
    await page.waitForTimeout(50);
  }
}
