/** A real Firefox for tests, as its makers ship it: Playwright speaks WebDriver BiDi to it. */

import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { type Browser, firefox, type Page } from 'playwright-core';

const path = process.env.LINCIR_TEST_FIREFOX ?? '/usr/bin/firefox-esr';

/** Why tests in Firefox cannot run here, or false. */
export const noFirefox = existsSync(path) ? false : `there is no Firefox at ${path} (LINCIR_TEST_FIREFOX)`;

/** Without a window, Firefox tells pages of no mouse. */
const withMouse = { 'ui.primaryPointerCapabilities': 6, 'ui.allPointerCapabilities': 6 };

/** Playwright's own side of a browser. */
interface Side {
  readonly _browserSession: { send(method: string, given: unknown): Promise<unknown> };
}

/** @param preferences as in `about:config` */
export async function openFirefox(preferences: Readonly<Record<string, boolean>> = {}): Promise<Browser> {
  const browser = await firefox.launch({
    executablePath: path,
    channel: 'moz-firefox',
    firefoxUserPrefs: { ...withMouse, ...preferences },
  });
  // Playwright sends a command for each new context that Firefox 153 does not know, and then gives up.
  const { _connection } = browser as unknown as { _connection: { toImpl(browser: Browser): Side } };
  const session = _connection.toImpl(browser)._browserSession;
  const send = session.send.bind(session);
  session.send = async (method, given) =>
    method === 'emulation.setMediaFeaturesOverride' ? {} : await send(method, given);
  return browser;
}

/** Chooses a folder in a file input. The driver of Firefox can choose files only, so they get their paths here. */
export async function chooseFolder(page: Page, input: string, folder: string): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  const paths = files.map((file) => join(basename(folder), relative(folder, file)));
  await page.locator(input).waitFor({ state: 'attached' });
  await page.evaluate(`{
    const input = document.querySelector(${JSON.stringify(input)});
    const paths = ${JSON.stringify(paths)};
    input.webkitdirectory = false;
    Object.defineProperty(input, 'webkitdirectory', { get: () => false, set() {} }); // the page sets it, whenever it draws
    const tell = () => paths.forEach((value, at) => Object.defineProperty(input.files[at], 'webkitRelativePath', { value }));
    input.addEventListener('change', tell, { capture: true, once: true });
  }`);
  await page.locator(input).setInputFiles(files);
}
