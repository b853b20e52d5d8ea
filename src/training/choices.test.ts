/** Captions by name: those of the miniature world bring a recipe, and what the user says of it stands. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { miniRecipe } from '../mini/index.ts';
import { madeCaptions, madeNames, recipeFor } from './choices.ts';

test('captions of the miniature world bring their recipe; with others beside them, or without, there is none', async () => {
  assert.deepEqual(await recipeFor(['mini:captions']), miniRecipe);
  assert.deepEqual(await recipeFor(['mini:captions:2']), miniRecipe);
  assert.deepEqual(await recipeFor(['mini:captions', 'captions.txt']), {});
  assert.deepEqual(await recipeFor([]), {});
  assert.deepEqual(await recipeFor(), {});
});

test('made captions are found by the name that they have, and by no other', async () => {
  for (const name of madeNames) assert.equal((await madeCaptions(name))?.name, name);
  for (const name of ['mini:other', 'captions.txt', 'constructor']) {
    assert.equal(await madeCaptions(name), undefined);
  }
});
