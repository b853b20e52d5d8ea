/** Published phis by name: presets, files of a repository on the hub, the cache, and what is a path. */

import assert from 'node:assert/strict';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { FakeModel } from '../../test/fake-hub.ts';
import { commit, refused, setUp, tiny } from '../../test/hub-setup.ts';
import { isPhiCached, modelPresets, phiPresetFor, phiPresets, pullPhi } from './index.ts';
import { resolvePhi } from './phis.ts';

const phi = Buffer.alloc(60_000, 'pseudo words');
const authors: FakeModel = {
  id: 'navervision/zeroshot-cir-models',
  commit,
  files: {
    'README.md': '',
    'lincir_large.pt': phi,
    'pic2word_large.pt': 'another',
    'runs/x/phi.safetensors': phi,
  },
  large: ['lincir_large.pt'],
};
const single: FakeModel = {
  id: 'acme/one-phi',
  commit,
  files: { 'config.json': '{}', 'phi.safetensors': phi },
};

/** A hub with phis, and what it has told of licences. */
async function setUpPhis(context: TestContext) {
  const { hub, home, options, offline } = await setUp(context, [authors, single, tiny]);
  const notices: string[] = [];
  const onLicence = (notice: string) => notices.push(notice);
  return { hub, home, options: { ...options, onLicence }, offline: { ...offline, onLicence }, notices };
}

test('a preset is downloaded once, with its licence told, and then used without the hub', async (context) => {
  const { hub, options, offline, notices } = await setUpPhis(context);
  const preset = phiPresetFor('openai/clip-vit-large-patch14');
  assert.equal(preset?.name, 'lincir-large');
  assert.equal(await isPhiCached(preset, options), false);
  const received: number[] = [];
  const onProgress = ({ allReceivedBytes }: { allReceivedBytes: number }) => received.push(allReceivedBytes);
  const found = await resolvePhi('lincir-large', { ...options, onProgress });
  assert.equal(found?.model, 'openai/clip-vit-large-patch14');
  assert.deepEqual(await readFile(found.file), phi);
  assert.equal(received.at(-1), phi.length);
  assert.match(
    notices.join(),
    /^lincir_large\.pt, 60 kB; its licence: CC BY-NC 4\.0, https:\/\/huggingface\.co/,
  );
  assert.equal(await isPhiCached(preset, options), true);

  const asked = hub.requests.length;
  for (const name of [
    'lincir-large',
    `${authors.id}/lincir_large.pt`,
    `${authors.id}/lincir_large.pt@${commit}`,
  ]) {
    assert.deepEqual(await resolvePhi(name, offline), found);
  }
  assert.equal(hub.requests.length, asked);
  assert.equal(notices.length, 1);
  await pullPhi('lincir-large', options);
  assert.equal(hub.requestsFor('lincir_large.pt').filter(({ host }) => host === 'storage').length, 1);
});

test('what was cut goes on where it was', async (context) => {
  const { hub, options } = await setUpPhis(context);
  hub.faults.set('lincir_large.pt', { cutAt: 20_000, times: 1 });
  const found = await resolvePhi('lincir-large', options);
  assert.deepEqual(await readFile(found!.file), phi);
  assert.match(hub.requestsFor('lincir_large.pt').at(-1)?.range ?? '', /^bytes=[1-9]/);
});

test('any repository: its only phi, or the file that is named', async (context) => {
  const { options, notices } = await setUpPhis(context);
  const only = await resolvePhi(single.id, options);
  assert.deepEqual(await readFile(only!.file), phi);
  assert.equal(only?.model, undefined);
  assert.match(notices.join(), /see its licence at .*\/acme\/one-phi$/);
  const nested = await resolvePhi(`${authors.id}/runs/x/phi.safetensors@main`, options);
  assert.deepEqual(await readFile(nested!.file), phi);
  const several = resolvePhi(authors.id, options);
  await refused(several, 'bad-argument', /lincir_large\.pt, pic2word_large\.pt/, /zeroshot-cir-models\/FILE/);
  await refused(resolvePhi(tiny.id, options), 'bad-argument', /model\.safetensors, pytorch_model\.bin/);
  await refused(resolvePhi(`${authors.id}/missing.pt`, options), 'not-found', /the file missing\.pt/);
});

test('offline, and one that is not on the hub: the message says where it is', async (context) => {
  const { offline, options } = await setUpPhis(context);
  await refused(resolvePhi('lincir-large', offline), 'not-found', /lincir_large\.pt in /, /HF_HUB_OFFLINE/);
  await refused(
    resolvePhi('searle-base', options),
    'not-found',
    /github\.com.*SEARLE_ViT-B32\.pt/,
    /`phi: 'SEARLE/,
  );
});

test('what can only be a path is none of the hub', async (context) => {
  const { hub, home, options } = await setUpPhis(context);
  await mkdir(join(home, 'runs'));
  context.after(() => rm(join(home, 'runs'), { recursive: true, force: true }));
  const before = process.cwd();
  process.chdir(home);
  try {
    for (const path of [
      'runs/mine',
      'phi.pt',
      './a/b',
      '/a/b/c.pt',
      '../a/b',
      'a/b/../c',
      'a\\b',
      'a/b//c',
      '',
    ]) {
      assert.equal(await resolvePhi(path, options), undefined, path);
    }
  } finally {
    process.chdir(before);
  }
  assert.equal(await pullPhi(tiny.id, options), undefined);
  assert.deepEqual(hub.requests, []);
});

test('every preset is for a model that has one', () => {
  const models = modelPresets.map(({ name }) => name);
  for (const { name, model, file, address } of phiPresets) {
    assert.ok(models.includes(model), name);
    assert.ok(!models.includes(name) && /^\w+-\w+$/.test(name) && URL.canParse(address) && file, name);
  }
});
