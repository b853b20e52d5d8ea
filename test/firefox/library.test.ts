/** The engine in Firefox: towers, phi and composition as on Node, with threads and without; and pictures, decoded there. */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { openEngine, type Site, serveSite } from '../browser/chromium.ts';
import { computedOnNode, expectNodesEmbeddings, mini, relativeDifference } from '../browser/mini.ts';
import { noFirefox, openFirefox } from './firefox.ts';

describe('the library in Firefox', { skip: noFirefox }, () => {
  let site: Site;
  let browser: Browser;
  before(async () => {
    [site, browser] = await Promise.all([serveSite(), openFirefox()]);
  });
  after(async () => {
    await browser?.close();
    site?.close();
  });

  for (const [how, path, count] of [
    ['one thread', '', 1],
    ['threads', 'isolated/', 2],
  ] as const) {
    test(`it computes and composes with ${how} what it does on Node`, async () => {
      const engine = await openEngine(browser, site.url + path);
      const { threads, adapter } = await engine.ask('facts');
      assert.ok(count === 1 ? threads === 1 : threads >= 1);
      assert.equal(adapter, undefined);
      await engine.ask('hold', { device: 'cpu', threads: count });
      const found = await engine.ask('computed', mini, { device: 'cpu' });
      const expected = await computedOnNode(mini);
      assert.equal(found.fingerprint, expected.fingerprint);
      for (const [name, values] of Object.entries(expected.values)) {
        const difference = relativeDifference(found.values[name]!, values);
        const most = { eightBits: 0.03, gradient: 1e-4 }[name] ?? 2e-5;
        assert.ok(difference < most, `${name} is off by ${difference}`);
      }
      await engine.close();
    });
  }

  test('embeddings as those of pictures that Node decodes', async () => {
    const engine = await openEngine(browser, site.url);
    await expectNodesEmbeddings(engine);
    await engine.close();
  });
});
