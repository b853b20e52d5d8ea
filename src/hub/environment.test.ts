/** The variables that Hugging Face tools share. */

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { LincirError } from '../core/index.ts';
import { readHubEnvironment, readToken } from './environment.ts';

test('the cache lies where the first of the variables says', () => {
  const cacheWith = (variables: Record<string, string>) => readHubEnvironment(variables).cacheFolder;
  const all = { HF_HUB_CACHE: '/a', HUGGINGFACE_HUB_CACHE: '/b', HF_HOME: '/c', XDG_CACHE_HOME: '/d' };
  assert.equal(cacheWith(all), resolve('/a'));
  assert.equal(cacheWith({ ...all, HF_HUB_CACHE: '' }), resolve('/b'));
  assert.equal(cacheWith({ HF_HOME: '/c', XDG_CACHE_HOME: '/d' }), resolve('/c/hub'));
  assert.equal(cacheWith({ XDG_CACHE_HOME: '/d' }), resolve('/d/huggingface/hub'));
  assert.equal(cacheWith({}), join(homedir(), '.cache', 'huggingface', 'hub'));
  assert.equal(cacheWith({ HF_HOME: '~/models' }), join(homedir(), 'models', 'hub'));
});

test('switches are on with 1, true, yes and on, in any case', () => {
  for (const value of ['1', 'true', 'YES', 'On'])
    assert.ok(readHubEnvironment({ HF_HUB_OFFLINE: value }).offline);
  for (const value of ['', '0', 'false', '2'])
    assert.ok(!readHubEnvironment({ HF_HUB_OFFLINE: value }).offline);
  assert.ok(readHubEnvironment({ TRANSFORMERS_OFFLINE: '1' }).offline);
  assert.ok(!readHubEnvironment({ HF_HUB_DISABLE_SYMLINKS: '1' }).symlinks);
});

test('the endpoint is an http address', () => {
  assert.equal(readHubEnvironment({}).endpoint, 'https://huggingface.co');
  assert.equal(
    readHubEnvironment({ HF_ENDPOINT: 'http://mirror:8080/hf//' }).endpoint,
    'http://mirror:8080/hf',
  );
  for (const HF_ENDPOINT of ['mirror', 'file:///etc', 'https://me:pass@mirror']) {
    assert.throws(
      () => readHubEnvironment({ HF_ENDPOINT }),
      (error) =>
        error instanceof LincirError && error.code === 'bad-argument' && !error.message.includes('pass@'),
    );
  }
});

test('the token comes from its variable, else from its file, and is never shown', async (context) => {
  const home = await mkdtemp(join(tmpdir(), 'lincir-token-'));
  context.after(() => rm(home, { recursive: true }));
  const tokenWith = (variables: Record<string, string>) =>
    readToken(readHubEnvironment({ HF_HOME: home, ...variables }));
  assert.equal(await tokenWith({}), undefined);
  await writeFile(join(home, 'token'), ' hf_file\r\n');
  await writeFile(join(home, 'other'), 'hf_other');
  assert.equal(await tokenWith({}), 'hf_file');
  assert.equal(await tokenWith({ HF_TOKEN_PATH: join(home, 'other') }), 'hf_other');
  assert.equal(await tokenWith({ HF_TOKEN: 'hf_variable' }), 'hf_variable');
  await assert.rejects(
    tokenWith({ HF_TOKEN: 'hf_secret\nx: y' }),
    (error) =>
      error instanceof LincirError && /HF_TOKEN/.test(error.message) && !/secret/.test(error.message),
  );
});
