/** What names a model and what does not. */

import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { LincirError } from '../core/index.ts';
import { modelPresets } from './choices.ts';
import { findModel } from './names.ts';

test('a preset stands for its id', async () => {
  for (const { name, id } of modelPresets) {
    assert.deepEqual(await findModel(name), { id, revision: 'main' });
  }
  assert.deepEqual(await findModel('base@v1'), { id: 'openai/clip-vit-base-patch32', revision: 'v1' });
});

test('a folder that exists wins over the hub', async () => {
  assert.deepEqual(await findModel(tmpdir()), { folder: resolve(tmpdir()) });
  assert.deepEqual(await findModel('.'), { folder: process.cwd() });
});

test('an id may carry a revision, or the option gives it', async () => {
  const id = 'laion/CLIP-ViT-H-14';
  assert.deepEqual(await findModel(id), { id, revision: 'main' });
  assert.deepEqual(await findModel(`${id}@refs/pr/1`), { id, revision: 'refs/pr/1' });
  assert.deepEqual(await findModel(id, 'v1.0'), { id, revision: 'v1.0' });
  assert.deepEqual(await findModel(`${id}@v1`, 'v1'), { id, revision: 'v1' });
});

test('what is no model is refused', async () => {
  const codeOf = async (model: string, revision?: string) => {
    try {
      return await findModel(model, revision);
    } catch (error) {
      return error instanceof LincirError ? error.code : error;
    }
  };
  const missing = join(tmpdir(), 'no', 'such', 'folder');
  for (const name of [
    '',
    'nonesuch',
    missing,
    './a/b',
    '../a',
    'a/b/c',
    'a--b/c',
    'a/..',
    '.a/b',
    'a/b.git',
    'a/b?c',
    `a/${'b'.repeat(99)}`,
  ]) {
    assert.equal(await codeOf(name), 'not-found', name);
  }
  for (const revision of [
    '',
    '..',
    '../x',
    'a/../b',
    '/a',
    'a/',
    'a b',
    '.hidden',
    'a\\b',
    'x.lock',
    'C:a',
    'a\nb',
  ]) {
    assert.equal(await codeOf('a/b', revision), 'bad-argument', revision);
    assert.equal(await codeOf(`a/b@${revision}`), 'bad-argument', revision);
  }
  assert.equal(await codeOf('a/b@v1', 'v2'), 'bad-argument');
  assert.equal(await codeOf('.', 'v2'), 'bad-argument');
});
