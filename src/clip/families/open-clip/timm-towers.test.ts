/** timm's vision towers against what timm computes with the same random weights. */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Checkpoint, readSafetensorsHeader, readTensor } from '../../../core/index.ts';
import { readingFile } from '../../../files/index.ts';
import { type RunTensor, Session } from '../../../onnx/index.ts';
import type { VisionConfig } from '../../config.ts';
import { calibrationPictures } from '../../int8/pictures.ts';
import { eightBitTower, embeddingNoise } from '../../int8/tower.ts';
import { type ImagePreprocessing, preprocessImage } from '../../preprocess.ts';
import { parametersOf } from '../../transformer.ts';
import { visionInput, visionTower } from '../../vision-tower.ts';
import { expectTensors } from '../tensors.ts';
import { timmTensors } from './timm-tensors.ts';

const folder = join(import.meta.dirname, '../../../../test/fixtures/timm-towers');

const shared = { width: 32, layers: 2, heads: 2, imageSize: 32, patchSize: 8, channels: 3, projection: 24 };
const first = { classToken: true, preNorm: false, keyBias: false };
const perception = { preNorm: true, keyBias: true };

/** What make_timm_towers.py says of them. */
const towers: Readonly<Record<string, VisionConfig>> = {
  siglip: {
    ...{ ...shared, feedForward: 57, activation: 'gelu_tanh', epsilon: 1e-6 },
    ...{ projection: 32, pooling: 'attention' },
  },
  clip: { ...shared, feedForward: 64, activation: 'gelu', epsilon: 1e-5, projectionBias: true },
  eva: { ...shared, feedForward: 64, activation: 'gelu', epsilon: 1e-6, projectionBias: true, eva: first },
  eva02: {
    ...{ ...shared, feedForward: 42, activation: 'gelu', epsilon: 1e-6, projectionBias: true },
    eva: { ...first, gated: true, rotary: { side: 5, first: 0, order: 'rows' } },
  },
  'pe-core': {
    ...{ ...shared, feedForward: 64, activation: 'gelu', epsilon: 1e-5, projectionBias: true },
    pooling: 'attention',
    eva: {
      ...{ ...perception, classToken: true, rotary: { side: 4, first: 1, order: 'columns' } },
      head: { heads: 4, feedForward: 64 },
    },
  },
  'pe-core-largest': {
    ...{ ...shared, feedForward: 80, activation: 'gelu', epsilon: 1e-5, projectionBias: true },
    pooling: 'attention',
    eva: {
      ...{ ...perception, classToken: false, rotary: { side: 4, first: 0, order: 'columns' } },
      head: { heads: 4, feedForward: 96 },
    },
  },
};

for (const [name, config] of Object.entries(towers)) {
  test(`${name}: embeddings are those of timm`, async () => {
    const { checkpoint, pixels, expected } = await readTower(name);
    expectTensors({ vision: config, text: undefined }, checkpoint);
    const found = await embed(config, checkpoint, pixels);
    assert.deepEqual(found.shape, expected.shape);
    const largest = Math.max(...expected.data.map(Math.abs));
    const error = Math.max(...expected.data.map((value, at) => Math.abs(value - found.data[at]!)));
    assert.ok(error / largest < 2e-5, `${error / largest}`);
  });
}

const whole = { height: shared.imageSize, width: shared.imageSize };
const preprocessing: ImagePreprocessing = {
  ...{ resize: whole, crop: whole, filter: 'bicubic', scale: 1 / 255 },
  ...{ mean: [0.5, 0.5, 0.5], deviation: [0.5, 0.5, 0.5] },
};

for (const name of ['siglip', 'eva02', 'pe-core']) {
  test(`${name}: products of 8 bits give nearly the same`, async () => {
    const config = towers[name]!;
    const { checkpoint } = await readTower(name);
    const pixels = await picturesAsPixels(16);
    const { session, exact } = await eightBitTower(
      { config, tensors: checkpoint.tensors, preprocessing },
      {},
    );
    const { embeddings } = await session.run<'embeddings'>({ pixels });
    await session.dispose();
    assert.deepEqual(exact, []);
    const noise = embeddingNoise(embeddings, await embed(config, checkpoint, pixels));
    assert.ok(noise > 0.001 && noise < (name === 'eva02' ? 0.2 : 0.05), `${noise}`);
  });
}

async function picturesAsPixels(count: number): Promise<RunTensor> {
  const area = 3 * whole.height * whole.width;
  const data = new Float32Array(count * area);
  for (const [row, picture] of calibrationPictures(count).entries()) {
    await preprocessImage(picture, preprocessing, { into: data.subarray(row * area, (row + 1) * area) });
  }
  return { shape: [count, 3, whole.height, whole.width], data };
}

async function embed(config: VisionConfig, { tensors }: Checkpoint, pixels: RunTensor) {
  const embeddings = visionTower(visionInput(config), config, parametersOf(tensors));
  const session = await Session.create({ embeddings });
  const found = await session.run<'embeddings'>({ pixels });
  await session.dispose();
  return found.embeddings;
}

async function readTower(name: string) {
  return await readingFile(join(folder, `${name}.safetensors`), async (file) => {
    const { tensors } = await readSafetensorsHeader(file);
    const named = [...tensors].flatMap(([key, stored]) =>
      key.startsWith('visual.') ? timmTensors(key.slice('visual.'.length), stored) : [],
    );
    return {
      checkpoint: { tensors: new Map(named) } satisfies Checkpoint,
      pixels: await readTensor(tensors.get('pixel_values')!),
      expected: await readTensor(tensors.get('image_embeds')!),
    };
  });
}
