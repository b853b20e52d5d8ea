/** The page of your own photos in Chromium: the whole way, what it keeps, and what may go wrong. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { build } from 'vite';
import { loadClip } from '../../src/clip/index.ts';
import { FakeHub } from '../fake-hub.ts';
import { expectAccessible, noBrowser, openBrowser, openPage, pictures, screenshot } from '../page/browser.ts';
import { makeFolder, picture, pictureCount } from './folder.ts';
import { type Host, hostSite } from './host.ts';

const skip = noBrowser;
const model = join(import.meta.dirname, '../fixtures/tiny-clip');
let work: string;
let site: string;
let host: Host;
let hub: FakeHub;
let browser: Browser;
let paths: string[];

before(async () => {
  if (skip) return;
  work = await mkdtemp(join(tmpdir(), 'lincir-photos-'));
  site = join(work, 'site');
  const files = ['config.json', 'model.safetensors', 'preprocessor_config.json', 'tokenizer.json'];
  hub = await FakeHub.start({
    id: 'openai/clip-vit-base-patch32',
    commit: 'c'.repeat(40),
    files: Object.fromEntries(files.map((name) => [name, readFileSync(join(model, name))])),
  });
  hub.isOpenToPages = true;
  process.env.HF_ENDPOINT = hub.endpoint; // the build takes it
  await build({
    configFile: join(import.meta.dirname, '../../web/site/vite.config.ts'),
    build: { outDir: site, emptyOutDir: true },
  });
  paths = await makeFolder(work);
  host = await hostSite(site);
  browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  await hub?.[Symbol.asyncDispose]();
  await host?.[Symbol.asyncDispose]();
  if (work) await rm(work, { recursive: true, force: true });
});

/** A page where the browser has no picker of folders, but a file input. */
async function visit(t: TestContext, address = host.address) {
  const watched = await openPage(browser);
  t.after(() => watched.close());
  await watched.page.addInitScript('delete window.showDirectoryPicker');
  await watched.page.goto(`${address}photos.html`);
  return watched;
}

async function giveModel(page: Page): Promise<void> {
  await page.locator('input[aria-label="Use a model from your disk"]').setInputFiles(model);
}

async function giveFolder(page: Page, folder = join(work, 'Holidays')): Promise<void> {
  await page.locator('input[aria-label$="a folder"]').setInputFiles(folder);
}

async function search(page: Page, words: string): Promise<{ name: string; score: number }[]> {
  await page.locator('#words').fill(words);
  await page.locator('#words').press('Enter');
  await page.locator('.grid .tile').first().waitFor();
  await page.locator('.status p', { hasText: 'image' }).waitFor();
  const labels = await page
    .locator('.grid .picture')
    .evaluateAll((all) => all.map((one) => one.getAttribute('aria-label') ?? ''));
  return labels.map((label) => {
    const [, name = '', score] = /^\d+: (.*), score (-?[\d.]+)/.exec(label) ?? [];
    return { name, score: Number(score) };
  });
}

async function expectText(page: Page, text: string | RegExp): Promise<void> {
  await page.getByText(text).first().waitFor();
}

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

  const allowed = [host.address, hub.endpoint].map((address) => new URL(address).host);
  assert.deepEqual([...hosts].sort(), allowed.sort());
});

async function ranking(words: string) {
  const clip = await loadClip(model);
  const images = await clip.encodeImages(
    paths.map((path) => join(work, path)),
    { normalize: true },
  );
  const { data: text } = await clip.encodeTexts([words], { normalize: true });
  const size = text.length;
  const scored = paths.map((path, at) => ({
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
  await using probed = await hostSite(site, {
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
  await using slow = await hostSite(site, { scripts: { 'decoder-worker': script } });
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

/** Stands in for a folder on disk: files of the browser's own, of which it hands out real handles. */
async function putFolder(page: Page, numbers: readonly number[]): Promise<void> {
  const files = await Promise.all(numbers.map(async (number) => [...(await picture(number))]));
  await page.evaluate(`(${putFiles})(${JSON.stringify({ numbers, files })})`);
}

/** Text, since only browsers know these names. */
const putFiles = `async ({ numbers, files }) => {
  const root = await navigator.storage.getDirectory();
  const folder = await root.getDirectoryHandle('Pictures', { create: true });
  for (const [at, number] of numbers.entries()) {
    const file = await folder.getFileHandle(number + '.png', { create: true });
    const writable = await file.createWritable();
    await writable.write(Uint8Array.from(files[at]));
    await writable.close();
  }
}`;

test('a folder that the browser remembers: new files come, gone ones leave', { skip }, async (t) => {
  const { page, close } = await openPage(browser);
  t.after(close);
  await page.addInitScript(`window.showDirectoryPicker = async () =>
    (await navigator.storage.getDirectory()).getDirectoryHandle('Pictures')`);
  await page.goto(`${host.address}photos.html`);
  await putFolder(page, [1, 2, 3, 4, 5]);
  await giveModel(page);
  await page.getByRole('button', { name: 'Choose a folder' }).click();
  await expectText(page, '5 added');
  await page.evaluate(`navigator.storage.getDirectory()
    .then((root) => root.getDirectoryHandle('Pictures'))
    .then((folder) => folder.removeEntry('2.png'))`);
  await putFolder(page, [6]);
  await page.reload();
  await giveModel(page);
  await expectText(page, '1 added, 1 gone');
  await expectText(page, '5 images in photos');
});

test('a model from the hub: its size first, a pause, a reload, and then no request at all', {
  skip,
}, async (t) => {
  const { page } = await visit(t);
  const size = readFileSync(join(model, 'model.safetensors')).length;
  await expectText(page, /^To fetch: \d+(\.\d)? kB\. /);
  assert.deepEqual(hub.requestsFor('model.safetensors'), []);
  hub.faults.set('model.safetensors', { trickle: 30 });
  await page.getByRole('button', { name: 'Get base' }).click();
  await page.getByText(/\d+(\.\d)? kB of \d/).waitFor();
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByRole('button', { name: 'Go on' }).waitFor();
  await screenshot(page, 'photos-download');
  hub.faults.clear();
  await page.reload();
  await expectText(page, 'It computes on the processor');
  await giveFolder(page);
  await expectText(page, `${pictureCount} added`);
  const asked = hub.requests.length;
  await page.reload();
  await page.getByText('It computes').or(page.getByText('Start from one of these')).first().waitFor();
  assert.equal((await search(page, 'a red bird')).length, pictureCount);
  assert.equal(hub.requests.length, asked, 'a request after the download');
  assert.ok(size > 0);
});

test('a hub that refuses is told, and can be asked again', { skip }, async (t) => {
  const { page, expectErrors } = await visit(t);
  expectErrors(/403/);
  hub.faults.set('config.json', { status: 403 });
  await page.getByRole('button', { name: 'Get base' }).click();
  await page.locator('.chosen .problem').waitFor();
  await screenshot(page, 'photos-refused');
  hub.faults.clear();
  await page.getByRole('button', { name: 'Try again' }).click();
  await expectText(page, 'It computes on the processor');
});

test('a full disk stops indexing, says so, and loses nothing', { skip }, async (t) => {
  const { page } = await visit(t);
  await giveModel(page);
  await expectText(page, 'It computes on');
  const session = await page.context().newCDPSession(page);
  const quota = (quotaSize?: number) =>
    session.send('Storage.overrideQuotaForOrigin', {
      origin: host.address.slice(0, -1),
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
  await using forgetful = await hostSite(site, { scripts: { worker: script } });
  const { page } = await visit(t, forgetful.address);
  await expectText(page, 'lets the page keep no files');
  const mini = join(import.meta.dirname, '../../models/mini');
  await page.locator('input[aria-label="Use a model from your disk"]').setInputFiles(mini);
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
  await second.goto(`${host.address}photos.html`);
  await expectText(second, 'Another tab has your photos open.');
  await page.goto('about:blank');
  await expectText(second, 'The model that looks at your photos');
});

test('without isolation there is one thread, and the page says so', { skip }, async (t) => {
  await using plain = await hostSite(site, { isIsolated: false });
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
  await page
    .locator('input[aria-label="Use a model from your disk"]')
    .setInputFiles(join(model, '../tiny-clip-laion'));
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
