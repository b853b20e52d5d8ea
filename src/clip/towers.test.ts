/** Both towers against outputs recorded from transformers, for every kind of configuration and weight file. */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { towerErrors } from '../../test/reference.ts';

const fixtures = join(import.meta.dirname, '../../test/fixtures');

for (const name of ['tiny-clip', 'tiny-clip-laion', 'tiny-clip-f16', 'tiny-clip-bf16', 'tiny-clip-text']) {
  for (const budget of [1_000_000, 100]) {
    test(`${name} as in transformers, at most ${budget} positions at once`, async () => {
      const { gradient, ...embeddings } = await towerErrors(join(fixtures, name), budget);
      assert.equal(Object.keys(embeddings).length, name === 'tiny-clip-text' ? 3 : 4);
      for (const [what, error] of Object.entries(embeddings)) assert.ok(error < 2e-5, `${what}: ${error}`);
      assert.ok(gradient! < 1e-4, `gradient: ${gradient}`);
    });
  }
}
