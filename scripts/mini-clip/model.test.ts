/** The untrained model: what its folder says, and how long its embeddings are. */

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadClip } from '../../src/clip/index.ts';
import { normals } from '../../src/core/index.ts';
import { initialParameters, miniConfig, writeDescription, writeWeights } from './model.ts';
import { tokenizerFile } from './tokenizer-file.ts';
import { defaultClipTraining } from './train.ts';

const { shape } = defaultClipTraining;
const tokenizer = tokenizerFile(['a small red circle and a blue star at night']);

test('an untrained model loads as any CLIP does, and its embeddings are about sqrt(projection) long', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'lincir-'));
  t.after(() => rm(folder, { recursive: true }));
  const parameters = initialParameters(miniConfig(shape, tokenizer.vocabulary), 1);
  await writeDescription(folder, shape, tokenizer);
  await writeWeights(folder, parameters);

  const clip = await loadClip(folder);
  t.after(() => clip.dispose());
  assert.deepEqual(clip.config, miniConfig(shape, tokenizer.vocabulary));
  assert.deepEqual(clip.preprocessing.crop, { height: shape.imageSize, width: shape.imageSize });
  assert.equal(clip.tokenizer.endOfText, clip.textConfig.endOfText);

  const texts = await clip.encodeTexts(['a red circle', 'a blue star at night']);
  const count = 3 * shape.imageSize ** 2;
  const images = await clip.encodePixels(normals({ seed: 1, purpose: 'noise', moment: 0, row: 0 }, count));
  for (const { data } of [images, texts]) {
    const length = Math.hypot(...data.subarray(0, shape.projection));
    assert.ok(Math.abs(length / Math.sqrt(shape.projection) - 1) < 0.25, `${length}`);
  }
});

test('matrices come first, and every value belongs to one tensor', () => {
  const { values, matrices, tensors } = initialParameters(miniConfig(shape, tokenizer.vocabulary), 1);
  let begin = 0;
  for (const [name, { shape, data }] of tensors) {
    assert.equal((data.byteOffset - values.byteOffset) / 4, begin, name);
    assert.equal(shape.length > 1, begin < matrices, name);
    begin += data.length;
  }
  assert.equal(begin, values.length);
});

test('a seed is a model', () => {
  const config = miniConfig({ ...shape, width: 8, feedForward: 8 }, 600);
  assert.deepEqual(initialParameters(config, 1), initialParameters(config, 1));
  assert.notDeepEqual(initialParameters(config, 1).values, initialParameters(config, 2).values);
});
