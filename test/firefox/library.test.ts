/** The engine in Firefox: towers, phi and composition as on Node, with threads and without; and pictures, decoded there. */

import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { loadClip } from '../../src/clip/index.ts';
import { openEngine, type Site, serveSite } from '../browser/chromium.ts';
import { computedOnNode, leastCosine, mini, relativeDifference } from '../browser/mini.ts';
import { noFirefox, openFirefox } from './firefox.ts';

const root = join(import.meta.dirname, '../..');
const images = 'test/fixtures/images';

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
    const paths = (await readdir(join(root, images)))
      .filter((name) => /^(rgb|exif|prog|large|cmyk|pal|anim).*\.(png|jpg|gif|webp)$/.test(name))
      .map((name) => `${images}/${name}`);
    const clip = await loadClip(join(root, 'models/mini'));
    const expected = await clip.encodeImages(paths.map((path) => join(root, path)));
    await clip.dispose();
    const engine = await openEngine(browser, site.url);
    const cosine = leastCosine(await engine.ask('images', mini, paths), expected);
    assert.ok(paths.length >= 10 && cosine > 0.999, `${cosine}`);
    await engine.close();
  });
});
