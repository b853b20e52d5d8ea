/** Both towers against outputs recorded from transformers, for every kind of configuration and weight file. */

import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { memoryFiles } from '../../test/fuzz/memory-file.ts';
import { towerErrors } from '../../test/reference.ts';
import { type ModelFiles, openCheckpoint, readJson } from '../core/index.ts';
import { folderFiles } from '../files/index.ts';
import { Session } from '../onnx/index.ts';
import { readClipConfig } from './families/index.ts';
import { fingerprintOf } from './fingerprint.ts';
import { textInputs } from './text-inputs.ts';
import { textTower } from './text-tower.ts';
import { tokenBatches } from './token-batches.ts';
import { parametersOf } from './transformer.ts';
import { visionInput, visionTower } from './vision-tower.ts';

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

for (const name of [
  'tiny-siglip',
  'tiny-metaclip2',
  'tiny-chinese-clip',
  'tiny-open-clip',
  'tiny-open-clip-custom',
  'tiny-open-clip-xlm',
]) {
  for (const budget of [1_000_000, 20]) {
    test(`${name} as in its own library, at most ${budget} positions at once`, async () => {
      const { gradient, ...embeddings } = await towerErrors(join(fixtures, name), budget);
      assert.deepEqual(Object.keys(embeddings), ['text', 'injected', 'image']);
      for (const [what, error] of Object.entries(embeddings)) assert.ok(error < 2e-5, `${what}: ${error}`);
      assert.ok(gradient! < 1e-4, `gradient: ${gradient}`);
    });
  }
}

/** What both towers of a model make of some tokens and pixels, and its fingerprint. */
async function outputsOf(files: ModelFiles) {
  const config = readClipConfig(await readJson((await files.read('config.json'))!), files.name);
  const checkpoint = await openCheckpoint(files);
  const { text, vision } = config as {
    text: NonNullable<typeof config.text>;
    vision: NonNullable<typeof config.vision>;
  };
  const inputs = textInputs(text);
  const parameter = parametersOf(checkpoint.tensors);
  const towers = {
    texts: textTower(inputs, text, parameter),
    images: visionTower(visionInput(vision), vision, parameter),
  };
  const session = await Session.create(towers);
  try {
    const end = text.vocabulary - 1;
    const [batch] = tokenBatches([{ ids: [5, 7, end] }, { ids: [3, end] }], text, 1000);
    const shape = [2, vision.channels, vision.imageSize, vision.imageSize];
    const data = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, at) => Math.sin(at));
    const outputs = await session.run({ ...batch!.feeds, pixels: { shape, data } });
    return { ...outputs, fingerprint: await fingerprintOf(config, checkpoint) };
  } finally {
    await session.dispose();
  }
}

for (const name of ['tiny-clip', 'tiny-clip-laion', 'tiny-clip-f16']) {
  test(`${name} in memory gives to the bit what it gives on disk`, async () => {
    const folder = join(fixtures, name);
    const names = await readdir(folder);
    const files = names.map(async (file) => [file, await readFile(join(folder, file))] as const);
    const inMemory = await outputsOf(memoryFiles(new Map(await Promise.all(files))));
    assert.deepEqual(inMemory, await outputsOf(folderFiles(folder)));
  });
}
