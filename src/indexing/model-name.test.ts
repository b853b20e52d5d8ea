/** An index made with a model of this package can be opened where the package lies elsewhere. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadClip } from '../clip/index.ts';
import { infoFor } from './image-index.ts';
import { modelFor } from './model-name.ts';

test('an index records the name of the miniature model, not its place', async () => {
  const clip = await loadClip('mini');
  assert.equal(infoFor(clip).model, 'mini');
  await clip.dispose();
});

test('a model that is not on this machine is told, with a way out', async () => {
  const info = { model: '/nowhere/clip', fingerprint: '0123456789abcdef' };
  await assert.rejects(modelFor('x.lance', info), {
    code: 'not-found',
    message: /x\.lance: expected its model in the folder "\/nowhere\/clip".*fingerprint 0123456789abcdef/,
  });
  assert.equal(await modelFor('x.lance', info, 'base'), 'base');
  assert.equal(await modelFor('x.lance', { ...info, model: 'base' }), 'base');
});
