/** Meta's own files of PE-Core: what the shapes say, and what the towers give. */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { towerErrors } from '../../../../test/reference.ts';
import { singleFile } from '../../../files/index.ts';
import { openTowers } from '../index.ts';

const folder = join(import.meta.dirname, '../../../../test/fixtures/tiny-pe-core');

test('towers as in timm and OpenCLIP', async () => {
  const { gradient, ...embeddings } = await towerErrors(folder, 1_000_000, {}, 'PE-Core-tiny.pt');
  assert.deepEqual(Object.keys(embeddings), ['text', 'injected', 'image']);
  for (const [what, error] of Object.entries(embeddings)) assert.ok(error < 2e-5, `${what}: ${error}`);
  assert.ok(gradient! < 1e-4, `gradient: ${gradient}`);
});

test('the shapes say what the towers are, and images are squeezed into a square', async () => {
  const { family, config, tokenizer, openPreprocessing } = await openTowers(
    await singleFile(join(folder, 'PE-Core-tiny.pt')),
  );
  assert.equal(family, 'PE-Core');
  assert.equal(tokenizer, 'openai/clip-vit-base-patch32');
  const shared = { activation: 'gelu', epsilon: 1e-5, projection: 16, width: 64, heads: 1, feedForward: 64 };
  assert.deepEqual(config.vision, {
    ...{ ...shared, layers: 2, imageSize: 32, patchSize: 8, channels: 3, pooling: 'attention' },
    eva: {
      ...{ classToken: true, preNorm: true, keyBias: true },
      rotary: { side: 4, first: 1, order: 'columns' },
      head: { heads: 8, feedForward: 64 },
    },
  });
  assert.deepEqual(config.text, {
    ...{ ...shared, layers: 1, vocabulary: 100, positions: 16, endOfText: 'largest' },
  });
  const preprocessing = await openPreprocessing?.();
  assert.deepEqual(preprocessing?.resize, { height: 32, width: 32 });
  assert.equal(preprocessing?.filter, 'bilinear');
  assert.deepEqual(preprocessing?.mean, [0.5, 0.5, 0.5]);
});
