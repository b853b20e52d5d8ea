/** Tests of what fails around the page: the model's host, a disk in the middle, the GPU. `photos.test.ts` runs them. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openBrowser, screenshot } from '../page/browser.ts';
import { pictureCount } from './folder.ts';
import { hostSite } from './host.ts';
import { expectText, giveFolder, giveModel, model, search, skip, visit, world } from './world.ts';

test('a hub that refuses, has no such file, or cuts is told, and can be asked again', { skip }, async (t) => {
  const { page, expectErrors } = await visit(t);
  expectErrors(/40[34]|ERR_/);
  t.after(() => world.hub.faults.clear());
  const problem = (text: string | RegExp) => page.locator('.chosen .problem', { hasText: text });
  const again = page.getByRole('button', { name: 'Try again' });
  world.hub.faults.set('config.json', { status: 403 });
  await page.getByRole('button', { name: 'Get base' }).click();
  await problem('403').waitFor();
  await screenshot(page, 'photos-refused');
  world.hub.faults.set('config.json', { status: 404 });
  await again.click();
  await problem('404').waitFor();
  world.hub.faults.clear();
  const size = readFileSync(join(model, 'model.safetensors')).length;
  world.hub.faults.set('model.safetensors', { cutAt: Math.floor(size / 2) });
  await again.click();
  await page.getByText(/kB of/).first().waitFor();
  world.hub.faults.clear();
  await expectText(page, 'It computes on the processor');
});

test('a silent hub can be paused, and another model taken', { skip }, async (t) => {
  const { page } = await visit(t);
  t.after(() => world.hub.faults.clear());
  world.hub.faults.set('model.safetensors', { stallAt: 100 });
  await page.getByRole('button', { name: 'Get base' }).click();
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByRole('button', { name: 'Go on' }).waitFor();
  world.hub.faults.clear();
  await page.getByRole('button', { name: 'Another model' }).click();
  await giveModel(page);
  await expectText(page, 'It computes on the processor');
});

test('pictures that cannot be read in the middle are told, and stay to do', { skip }, async (t) => {
  const script = `const read = Blob.prototype.arrayBuffer;
    const isGone = navigator.locks.query().then(({ held }) => held.some(({ name }) => name === 'no disk'));
    Blob.prototype.arrayBuffer = async function () {
      if (this instanceof File && (await isGone)) throw new DOMException('The disk is gone.', 'NotReadableError');
      return await read.call(this);
    };`;
  await using gone = await hostSite(world.site, { scripts: { 'decoder-worker': script } });
  const { page } = await visit(t, gone.address);
  await page.evaluate(`navigator.locks.request('no disk', () => new Promise((release) => { window.bringBack = release; }))
    && undefined`);
  await giveModel(page);
  await giveFolder(page);
  await expectText(page, `${pictureCount + 1} pictures could not be read now: its file cannot be read now`);
  await page.evaluate('bringBack()');
  await page.getByRole('button', { name: 'Look again' }).click();
  await expectText(page, `${pictureCount} images in photos`);
  await page.getByText('could not be read now').waitFor({ state: 'detached' });
});

const noWebgpu =
  skip || (process.env.LINCIR_TEST_WEBGPU === '1' ? false : 'set LINCIR_TEST_WEBGPU=1 for WebGPU');

test('when the GPU is lost, the processor goes on, with phi and for searches', {
  skip: noWebgpu,
}, async (t) => {
  // The software driver passes for a GPU, and can be taken away.
  const script = `
    for (const [name, value] of Object.entries({ vendor: 'a test', architecture: '', description: '', isFallbackAdapter: false }))
      Object.defineProperty(GPUAdapterInfo.prototype, name, { get: () => value });
    const ask = GPUAdapter.prototype.requestDevice;
    GPUAdapter.prototype.requestDevice = async function (...given) {
      const device = await ask.apply(this, given);
      new BroadcastChannel('gpu').onmessage = () => device.destroy();
      return device;
    };`;
  const slow =
    'const post = postMessage; self.postMessage = (...given) => setTimeout(() => post(...given), 250);';
  await using host = await hostSite(world.site, { scripts: { worker: script, 'decoder-worker': slow } });
  const browser = await openBrowser(['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader']);
  t.after(() => browser.close());
  const page = await browser.newPage();
  page.setDefaultTimeout(90_000);
  await page.addInitScript('delete window.showDirectoryPicker');
  await page.goto(`${host.address}photos.html`);
  const mini = join(import.meta.dirname, '../../models/mini');
  await giveModel(page, mini);
  await expectText(page, 'It computes on the GPU (a test).');
  await page.getByText('Phi: better answers').click();
  await page
    .locator('input[aria-label="Use a phi from your disk"]')
    .setInputFiles(join(mini, 'phi.safetensors'));
  await expectText(page, 'phi: phi.safetensors');
  await giveFolder(page);
  await page.getByText(/^Indexing [1-9]/).waitFor();
  await page.evaluate(`new BroadcastChannel('gpu').postMessage('')`);
  await expectText(page, /The GPU failed/);
  await expectText(page, `${pictureCount} images in photos`);
  assert.equal((await search(page, 'a red bird')).length, pictureCount);
  await page.getByRole('button', { name: 'Photos and model' }).click();
  await expectText(page, 'phi: phi.safetensors');
});
