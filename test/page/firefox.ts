/** A real Firefox for tests, as its makers ship it: Playwright speaks WebDriver BiDi to it. */

import { existsSync } from 'node:fs';
import { type Browser, firefox } from 'playwright-core';

const path = process.env.LINCIR_TEST_FIREFOX ?? '/usr/bin/firefox-esr';

/** Why tests in Firefox cannot run here, or false. */
export const noFirefox = existsSync(path) ? false : `there is no Firefox at ${path} (LINCIR_TEST_FIREFOX)`;

/** Of Playwright's own side of a browser. */
interface Side {
  readonly _browserSession: { send(method: string, given: unknown): Promise<unknown> };
}

/** @param preferences as in `about:config` */
export async function openFirefox(
  preferences: Readonly<Record<string, string | number | boolean>> = {},
): Promise<Browser> {
  const browser = await firefox.launch({
    executablePath: path,
    channel: 'moz-firefox',
    firefoxUserPrefs: preferences,
  });
  // Playwright sends each new context a command that Firefox has not yet, and gives up.
  const { _connection } = browser as unknown as { _connection: { toImpl(browser: Browser): Side } };
  const session = _connection.toImpl(browser)._browserSession;
  const send = session.send.bind(session);
  session.send = async (method, given) =>
    method === 'emulation.setMediaFeaturesOverride' ? {} : await send(method, given);
  return browser;
}
