/** The page of your own photos in Chromium: the whole way, what it keeps, and what may go wrong. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadClip } from '../../src/clip/index.ts';
import { expectAccessible, pictures, screenshot } from '../page/browser.ts';
import { pictureCount } from './folder.ts';
import { hostSite } from './host.ts';
import { expectText, giveFolder, giveModel, model, search, skip, visit, world } from './world.ts';
import './failures.ts';
import './folders.ts';

test('from a folder with junk to the answers that Node gives, and nothing leaves', { skip }, async (t) => {
  const { page } = await visit(t);
  const hosts = new Set<string>();
  page.context().on('request', (request) => {
    const { protocol, host: asked } = new URL(request.url());
    if (protocol !== 'blob:') hosts.add(asked);
  });
  await expectText(page, 'Nothing leaves this machine.');
  await expectAccessible(page, 'first visit');
  await screenshot(page, 'photos-setup');
  await giveModel(page);
  await expectText(page, 'It computes on the processor');
  await giveFolder(page);
  await expectText(page, `${pictureCount} added, 1 could not be decoded`);
  await pictures(page);
  await screenshot(page, 'photos-start');

  const found = await search(page, 'a red bird');
  await pictures(page);
  await screenshot(page, 'photos-results');
  const expected = await ranking('a red bird');
  assert.equal(found.length, pictureCount);
  for (const [at, { name, score }] of found.entries()) {
    const same = expected.find((one) => one.path.endsWith(name))!;
    assert.ok(Math.abs(same.score - score) < 1e-3, `${name}: ${score} instead of ${same.score}`);
    assert.ok(Math.abs(expected[at]!.score - score) < 1e-3, `rank ${at + 1}`);
  }

  await page.getByRole('button', { name: 'Photos and model' }).click();
  await page.getByText('1 picture could not be decoded').click();
  await expectText(page, 'Holidays/day 1/torn.jpg');
  await expectText(page, /3 other files left out: .*1 \.mov/);
  await expectAccessible(page, 'photos and model');
  await screenshot(page, 'photos-library');
  await page.keyboard.press('Escape');

  await page.locator('.grid .picture').first().click();
  await page.locator('.large .original:not(.waiting)').waitFor();
  const size = await page
    .locator('.large .original')
    .evaluate((image: { naturalWidth: number }) => image.naturalWidth);
  assert.ok(size === 96 || size === 60);
  await screenshot(page, 'photos-large');
  await page.keyboard.press('Escape');

  const allowed = [world.host.address, world.hub.endpoint].map((address) => new URL(address).host);
  assert.deepEqual([...hosts].sort(), allowed.sort());
});

async function ranking(words: string) {
  const clip = await loadClip(model);
  const images = await clip.encodeImages(
    world.paths.map((path) => join(world.work, path)),
    { normalize: true },
  );
  const { data: text } = await clip.encodeTexts([words], { normalize: true });
  const size = text.length;
  const scored = world.paths.map((path, at) => ({
    path,
    score: text.reduce((sum, value, place) => sum + value * images.data[at * size + place]!, 0),
  }));
  await clip.dispose();
  return scored.sort((a, b) => b.score - a.score);
}

test('the browser lets the page talk to no other host', { skip }, async (t) => {
  const { page, expectErrors } = await visit(t);
  expectErrors(/Content Security Policy|violates/);
  await expectText(page, 'Nothing leaves this machine.');
  for (const attempt of [
    `fetch('https://example.com/').then(() => 'sent', () => 'refused')`,
    `new Promise((resolve) => { const image = new Image(); image.onload = () => resolve('sent'); image.onerror = () => resolve('refused'); image.src = 'https://example.com/a.png'; })`,
    `navigator.sendBeacon('https://example.com/', 'x') ? Promise.resolve('refused') : Promise.resolve('refused')`,
  ])
    assert.equal(await page.evaluate(attempt), 'refused');
});

test('nor do its workers', { skip }, async (t) => {
  const tell = `addEventListener('securitypolicyviolation', ({ blockedURI }) =>
    blockedURI.startsWith('https') && REPORT);
    fetch('https://example.com/').catch(() => {});`;
  await using probed = await hostSite(world.site, {
    scripts: {
      worker: tell.replace('REPORT', "console.info('refused ' + blockedURI)"),
      // What a decoder says first is taken for its answer about a picture.
      'decoder-worker': tell.replace(
        'REPORT',
        "postMessage({ reason: 'refused ' + blockedURI, isPassing: false })",
      ),
    },
  });
  const { page, expectErrors } = await visit(t, probed.address);
  expectErrors(/Content Security Policy|violates/);
  const refused = page.waitForEvent(
    'console',
    (message) => message.text() === 'refused https://example.com/',
  );
  await giveModel(page);
  await giveFolder(page);
  await page.locator('.done', { hasText: 'could not be decoded' }).waitFor();
  await page.getByRole('button', { name: 'Photos and model' }).click();
  await page.getByText(/pictures? could not be decoded$/).click();
  await expectText(page, 'refused https://example.com/');
  await refused;
});

test('a reload in the middle goes on where it was', { skip }, async (t) => {
  // Each picture takes a while, as large ones do.
  const script =
    'const post = postMessage; self.postMessage = (...given) => setTimeout(() => post(...given), 250);';
  await using slow = await hostSite(world.site, { scripts: { 'decoder-worker': script } });
  const { page } = await visit(t, slow.address);
  await giveModel(page);
  await giveFolder(page);
  await page.getByText(/^Indexing [1-9]/).waitFor();
  await page.reload();
  // What was indexed is there, without model and folder.
  await expectText(page, 'The model that looks at your photos');
  await giveModel(page);
  await page.getByRole('heading', { name: 'Start from one of these' }).waitFor();
  await page.getByRole('button', { name: 'Photos and model' }).click();
  await giveFolder(page);
  await page.keyboard.press('Escape');
  const note = page.locator('.done');
  await note.waitFor();
  const [, added] = /^(\d+) added/.exec((await note.textContent()) ?? '') ?? [];
  assert.ok(Number(added) > 0 && Number(added) < pictureCount, `${added} were added`);
  await expectText(page, `${pictureCount} images in photos`);
});

test('a model from the hub: its size first, a pause, a reload, and then no request at all', {
  skip,
}, async (t) => {
  const before = world.hub.requestsFor('model.safetensors').length;
  const { page } = await visit(t);
  const size = readFileSync(join(model, 'model.safetensors')).length;
  await expectText(page, /^To fetch: \d+(\.\d)? kB\. /);
  assert.equal(world.hub.requestsFor('model.safetensors').length, before);
  world.hub.faults.set('model.safetensors', { trickle: 30 });
  await page.getByRole('button', { name: 'Get base' }).click();
  await page.getByText(/\d+(\.\d)? kB of \d/).waitFor();
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByRole('button', { name: 'Go on' }).waitFor();
  await screenshot(page, 'photos-download');
  world.hub.faults.clear();
  await page.reload();
  await expectText(page, 'It computes on the processor');
  await giveFolder(page);
  await expectText(page, `${pictureCount} added`);
  const asked = world.hub.requests.length;
  await page.reload();
  await page.getByText('It computes').or(page.getByText('Start from one of these')).first().waitFor();
  assert.equal((await search(page, 'a red bird')).length, pictureCount);
  assert.equal(world.hub.requests.length, asked, 'a request after the download');
  assert.ok(size > 0);
});

test('a full disk stops indexing, says so, and loses nothing', { skip }, async (t) => {
  const { page } = await visit(t);
  await giveModel(page);
  await expectText(page, 'It computes on');
  const session = await page.context().newCDPSession(page);
  const quota = (quotaSize?: number) =>
    session.send('Storage.overrideQuotaForOrigin', {
      origin: world.host.address.slice(0, -1),
      ...(quotaSize && { quotaSize }),
    });
  await quota(6000);
  await giveFolder(page);
  await expectText(page, 'The browser has no more room for this page.');
  await screenshot(page, 'photos-full');
  await quota();
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.locator('.done').waitFor();
  await expectText(page, `${pictureCount} images in photos`);
});

test('without a private file system it works for one visit, and says so', { skip }, async (t) => {
  const script = `navigator.storage.getDirectory = () => Promise.reject(new DOMException('no', 'SecurityError'));`;
  await using forgetful = await hostSite(world.site, { scripts: { worker: script } });
  const { page } = await visit(t, forgetful.address);
  await expectText(page, 'lets the page keep no files');
  const mini = join(import.meta.dirname, '../../models/mini');
  await giveModel(page, mini);
  await giveFolder(page);
  await expectText(page, `${pictureCount} added`);
  assert.equal((await search(page, 'a red bird')).length, pictureCount);

  // A picture of the index with words, once mixed and once with phi.
  await page
    .locator('.grid .tile')
    .first()
    .getByRole('button', { name: /as reference$/ })
    .click();
  assert.equal((await search(page, 'in the snow')).length, pictureCount - 1);
  await expectText(page, 'as this page has no phi');
  await page.getByRole('button', { name: 'Photos and model' }).click();
  await page.getByText('Phi: better answers').click();
  await page
    .locator('input[aria-label="Use a phi from your disk"]')
    .setInputFiles(join(mini, 'phi.safetensors'));
  await expectText(page, 'phi: phi.safetensors');
  await page.getByRole('button', { name: 'Without phi' }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByText('as this page has no phi').waitFor({ state: 'detached' });
  assert.equal((await search(page, 'in the rain')).length, pictureCount - 1);
});

test('a second tab waits for the first', { skip }, async (t) => {
  const { page } = await visit(t);
  await giveModel(page);
  const second = await page.context().newPage();
  await second.goto(`${world.host.address}photos.html`);
  await expectText(second, 'Another tab has your photos open.');
  await page.goto('about:blank');
  await expectText(second, 'The model that looks at your photos');
});

test('without isolation there is one thread, and the page says so', { skip }, async (t) => {
  await using plain = await hostSite(world.site, { isIsolated: false });
  const { page } = await visit(t, plain.address);
  await giveModel(page);
  await expectText(page, 'with one thread only');
});

test('another model does not read the index, and can index anew', { skip }, async (t) => {
  const { page } = await visit(t);
  await giveModel(page);
  await giveFolder(page);
  await expectText(page, `${pictureCount} added`);
  await page.getByRole('button', { name: 'Photos and model' }).click();
  await page.getByRole('button', { name: 'Another model' }).click();
  await giveModel(page, join(model, '../tiny-clip-laion'));
  await page.keyboard.press('Escape');
  await expectText(page, 'This index is of the model tiny-clip. The model tiny-clip-laion cannot read it.');
  await page.getByRole('button', { name: 'Index again with tiny-clip-laion' }).click();
  await expectText(page, `${pictureCount} added`);
  await page.getByText('This index is of the model').waitFor({ state: 'detached' });
  await page.locator('.done', { hasText: `${pictureCount} added` }).waitFor();
  assert.equal((await search(page, 'a red bird')).length, pictureCount);
});

test('deleting everything leaves nothing', { skip }, async (t) => {
  const { page } = await visit(t);
  await giveModel(page);
  await giveFolder(page);
  await expectText(page, `${pictureCount} added`);
  await page.getByRole('button', { name: 'Photos and model' }).click();
  await page.getByRole('button', { name: 'Delete everything' }).click();
  await page.getByRole('button', { name: 'Delete all of it' }).click();
  await expectText(page, 'The model that looks at your photos');
  const left = await page.evaluate(`(async () => {
    const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle('lincir-photos');
    const names = await Array.fromAsync(folder.keys());
    return names.filter((name) => name !== 'current');
  })()`);
  assert.deepEqual(left, []);
});
