/** Ten real photos, where they are there: Chromium decodes them to the embeddings that Node's libraries give. */

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadClip } from '../../src/clip/index.ts';
import { noBrowser, openChromium, openEngine, serveSite } from '../browser/chromium.ts';
import { leastCosine, mini } from '../browser/mini.ts';

const photos = join(import.meta.dirname, '../../../shared/data/photos/coco');
const skip = existsSync(photos) ? noBrowser : 'no photos here';

test('ten photos have the embeddings that they have on Node', { skip }, async (context) => {
  const names = (await readdir(photos)).slice(0, 10);
  const clip = await loadClip(join(import.meta.dirname, '../../models/mini'));
  context.after(() => clip.dispose());
  const site = await serveSite(photos);
  context.after(() => site.close());
  const browser = await openChromium();
  context.after(() => browser.close());
  const { ask } = await openEngine(browser, site.url);
  const paths = names.map((name) => `/photos/${name}`);
  const expected = await clip.encodeImages(names.map((name) => join(photos, name)));
  const cosine = leastCosine(await ask('images', mini, paths), expected);
  assert.ok(names.length === 10 && cosine > 0.999, `${cosine}`);
});
