/** An index made with a model of this package can be opened where the package lies elsewhere. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadClip } from '../clip/index.ts';
import { infoFor } from './image-index.ts';

test('an index records the name of the miniature model, not its place', async () => {
  const clip = await loadClip('mini');
  assert.equal(infoFor(clip).model, 'mini');
  await clip.dispose();
});
