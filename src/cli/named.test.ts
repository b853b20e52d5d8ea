/** What a user names: the miniature world's captions bring a recipe, and what the user says of it stands. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { miniCaptionsName, miniRecipe } from '../mini/index.ts';
import { namedRecipe } from './named.ts';

test('captions of the miniature world bring their recipe; with others beside them, or without, there is none', async () => {
  assert.deepEqual(await namedRecipe([miniCaptionsName]), miniRecipe);
  assert.deepEqual(await namedRecipe([miniCaptionsName, 'captions.txt']), {});
  assert.deepEqual(await namedRecipe([]), {});
  assert.deepEqual(await namedRecipe(), {});
});
