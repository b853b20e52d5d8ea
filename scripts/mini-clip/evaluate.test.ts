/** The evaluation: a model that knows nothing is told so. */

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadClip } from '../../src/clip/index.ts';
import { evaluateClip } from './evaluate.ts';
import { initialParameters, miniConfig, writeDescription, writeWeights } from './model.ts';
import { tokenizerFile } from './tokenizer-file.ts';

test('an untrained model is right as often as chance', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'lincir-'));
  t.after(() => rm(folder, { recursive: true }));
  const shape = {
    ...{ width: 16, heads: 2, textLayers: 1, visionLayers: 1, feedForward: 16, projection: 8 },
    ...{ positions: 77, imageSize: 32, patchSize: 16 },
  };
  const tokenizer = tokenizerFile([]);
  await writeDescription(folder, shape, tokenizer);
  await writeWeights(folder, initialParameters(miniConfig(shape, tokenizer.vocabulary), 1));
  const clip = await loadClip(folder);
  t.after(() => clip.dispose());
  const found = await evaluateClip(clip, 150);
  assert.equal(found.scenes, 150);
  for (const { recall1, recall5 } of [found.textToImage, found.imageToText]) {
    assert.ok(recall1 < 0.06 && recall1 <= recall5 && recall5 < 0.15, `${recall1} ${recall5}`);
  }
  for (const [attribute, share] of Object.entries(found.attributes)) {
    assert.ok(Math.abs(share - 0.5) < 0.25, `${attribute}: ${share}`);
  }
  assert.ok(Math.abs(found.textNorm / Math.sqrt(8) - 1) < 0.5);
  assert.ok(Math.abs(found.imageNorm / Math.sqrt(8) - 1) < 0.5);
  assert.ok(Math.abs(found.pairedCosine - found.otherCosine) < 0.1);
});
