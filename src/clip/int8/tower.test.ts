/** Towers with int8 products: as good as float32, in any company, and on models made to be hard to round. */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { elementCount, type Float32Tensor, openCheckpoint, readTensor } from '../../core/index.ts';
import { folderFiles } from '../../files/index.ts';
import { eightBitProduct, quantize, Session } from '../../onnx/index.ts';
import { type Clip, loadClip } from '../clip.ts';
import { precisionOf } from '../fingerprint.ts';
import { preprocessImage } from '../preprocess.ts';
import { parametersOf, plainArithmetic } from '../transformer.ts';
import { visionInput, visionParameter, visionTower } from '../vision-tower.ts';
import { calibrationPictures } from './pictures.ts';
import { weightReach } from './reach.ts';
import type { InputScales } from './scales.ts';
import { type TowerStatistics, towerStatistics } from './statistics.ts';
import { eightBitTower, embeddingNoise, type StoredVisionTower } from './tower.ts';
import { eightBitWeights } from './weights.ts';

const folder = join(import.meta.dirname, '../../../models/mini');
const count = 24;

type Tensors = Map<string, Float32Tensor>;

let clip: Clip;
let pixels: Float32Tensor;
before(async () => {
  clip = await loadClip(folder, { precision: 'int8' });
  const { channels, imageSize } = clip.visionConfig;
  const area = channels * imageSize ** 2;
  const data = new Float32Array(count * area);
  // Not those that calibrate.
  for (const [row, picture] of calibrationPictures(8 + count)
    .slice(8)
    .entries()) {
    await preprocessImage(picture, clip.preprocessing, { into: data.subarray(row * area, (row + 1) * area) });
  }
  pixels = { shape: [count, channels, imageSize, imageSize], data };
});

describe('a model with precision int8', () => {
  test('embeds images as float32 does, but for noise, and says so by its fingerprint', async () => {
    const exact = await loadClip(folder);
    const wanted = await exact.encodePixels(pixels.data);
    const found = await clip.encodePixels(pixels.data);
    assert.notDeepEqual(found.data, wanted.data);
    assert.ok(embeddingNoise(found, wanted) < 0.06, `${embeddingNoise(found, wanted)}`);
    assert.ok(worstCosine(found, wanted) > 0.998);
    assert.deepEqual(await clip.exactProducts(), []);
    assert.equal(clip.fingerprint, `${exact.fingerprint}-int8`);
    assert.deepEqual(
      [clip, exact].map((model) => precisionOf(model.fingerprint)),
      ['int8', undefined],
    );
    const texts = ['a red circle', 'two stars'];
    assert.deepEqual((await clip.encodeTexts(texts)).data, (await exact.encodeTexts(texts)).data);
    await exact.dispose();
  });

  test('an image has the same embedding, bit for bit, whatever other images there are', async () => {
    const together = await clip.encodePixels(pixels.data);
    const area = pixels.data.length / count;
    const size = together.shape[1]!;
    for (const row of [0, 7]) {
      const alone = await clip.encodePixels(pixels.data.slice(row * area, (row + 1) * area));
      assert.deepEqual(alone.data, together.data.slice(row * size, (row + 1) * size));
    }
  });
});

test('channels with huge gains, huge biases and huge values lose nothing; plain rounding fails', async () => {
  const tensors = await tensorsOfMini();
  for (let layer = 0; layer < clip.visionConfig.layers; layer++) addOutliers(tensors, layer);
  const tower = stored(tensors);
  const wanted = await exactStatistics(tower);
  const same = await exactStatistics({ ...tower, tensors: clip.checkpoint.tensors });
  assert.ok(worstCosine(wanted.embeddings, same.embeddings) > 0.9999, 'the function is the same');

  const { session, exact } = await eightBitTower(tower, {});
  const { embeddings } = await session.run<'embeddings'>({ pixels });
  await session.dispose();
  assert.deepEqual(exact, []);
  assert.ok(
    worstCosine(embeddings, wanted.embeddings) > 0.99,
    `${worstCosine(embeddings, wanted.embeddings)}`,
  );
  assert.ok(embeddingNoise(embeddings, wanted.embeddings) < 0.15);

  const plain = await plainlyRounded(tower, tensors, wanted);
  assert.ok(worstCosine(plain, wanted.embeddings) < 0.9, `${worstCosine(plain, wanted.embeddings)}`);
});

test('weights of 7 bits, for processors whose sums overflow, are good enough', async () => {
  const tower = stored(await tensorsOfMini());
  const { embeddings: wanted } = await exactStatistics(tower);
  const { session } = await eightBitTower(tower, {}, 63);
  const { embeddings } = await session.run<'embeddings'>({ pixels });
  await session.dispose();
  assert.ok(embeddingNoise(embeddings, wanted) < 0.08, `${embeddingNoise(embeddings, wanted)}`);
  assert.ok([63, 127].includes(await weightReach({})));
});

test('a product whose large terms cancel stays float32', async () => {
  const tensors = await tensorsOfMini();
  cancel(tensors, 'vision_model.encoder.layers.1.mlp');
  const tower = stored(tensors);
  const { embeddings: wanted } = await exactStatistics(tower);
  const { session, exact } = await eightBitTower(tower, {});
  const { embeddings } = await session.run<'embeddings'>({ pixels });
  await session.dispose();
  assert.deepEqual(exact, ['encoder.layers.1.mlp.fc2']);
  assert.ok(worstCosine(embeddings, wanted) > 0.99);
});

async function tensorsOfMini(): Promise<Tensors> {
  const { tensors } = await openCheckpoint(folderFiles(folder));
  const vision = [...tensors].filter(([name]) => /^vision_model|^visual_projection/.test(name));
  return new Map(
    await Promise.all(vision.map(async ([name, tensor]) => [name, await readTensor(tensor)] as const)),
  );
}

/** Tensors in memory, as a tower takes them. */
function stored(tensors: Tensors): StoredVisionTower {
  const entries = Array.from(tensors, ([name, { shape, data }]) => {
    const bytes = new Uint8Array(Float32Array.from(data).buffer);
    const source = { name, size: bytes.length, read: async () => bytes };
    const byteLength = 4 * elementCount(shape);
    return [name, { name, type: 'float32', shape, source, offset: 0, byteLength }] as const;
  });
  return { config: clip.visionConfig, tensors: new Map(entries), preprocessing: clip.preprocessing };
}

function exactStatistics({ config, tensors }: StoredVisionTower): Promise<TowerStatistics> {
  return towerStatistics(config, parametersOf(tensors), pixels, {});
}

/** Multiplies and shifts some channels, and takes that back in the weights behind them. */
function addOutliers(tensors: Tensors, layer: number): void {
  const path = `vision_model.encoder.layers.${layer}`;
  const after: Record<string, string[]> = {
    layer_norm1: ['self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj'],
    layer_norm2: ['mlp.fc1'],
  };
  for (const [norm, products] of Object.entries(after)) {
    const [gain, bias] = ['weight', 'bias'].map((part) => tensors.get(`${path}.${norm}.${part}`)!.data);
    for (const channel of [3, 17, 90]) {
      gain![channel]! *= 30;
      bias![channel]! *= 30;
      for (const product of products) scaleColumn(tensors.get(`${path}.${product}.weight`)!, channel, 1 / 30);
    }
    for (const [channel, shift] of [
      [5, 60],
      [40, -200],
    ] as const) {
      bias![channel]! += shift;
      for (const product of products) {
        const { shape, data } = tensors.get(`${path}.${product}.weight`)!;
        const biases = tensors.get(`${path}.${product}.bias`)!.data;
        for (let row = 0; row < shape[0]!; row++) biases[row]! -= shift * data[row * shape[1]! + channel]!;
      }
    }
  }
  for (const channel of [2, 70]) {
    scaleRow(tensors, `${path}.self_attn.v_proj`, channel, 50);
    scaleColumn(tensors.get(`${path}.self_attn.out_proj.weight`)!, channel, 1 / 50);
  }
}

/** Two hidden values that are equal and huge, and whose weights cancel. */
function cancel(tensors: Tensors, path: string): void {
  const { shape, data } = tensors.get(`${path}.fc1.weight`)!;
  const biases = tensors.get(`${path}.fc1.bias`)!.data;
  const width = shape[1]!;
  scaleRow(tensors, `${path}.fc1`, 0, 100);
  data.copyWithin(width, 0, width);
  biases[1] = biases[0]!;
  const out = tensors.get(`${path}.fc2.weight`)!;
  const hidden = out.shape[1]!;
  for (let row = 0; row < out.shape[0]!; row++) {
    out.data[row * hidden]! *= 100;
    out.data[row * hidden + 1] = -out.data[row * hidden]!;
  }
}

function scaleColumn({ shape, data }: Float32Tensor, column: number, factor: number): void {
  for (let at = column; at < data.length; at += shape[1]!) data[at]! *= factor;
}

function scaleRow(tensors: Tensors, product: string, row: number, factor: number): void {
  const { shape, data } = tensors.get(`${product}.weight`)!;
  for (let at = row * shape[1]!; at < (row + 1) * shape[1]!; at++) data[at]! *= factor;
  tensors.get(`${product}.bias`)!.data[row]! *= factor;
}

/** Every product's input on one grid from its least to its largest value in these very pictures. */
async function plainlyRounded(
  { config, tensors }: StoredVisionTower,
  values: Tensors,
  { inputs }: TowerStatistics,
): Promise<Float32Tensor> {
  const parameter = parametersOf(tensors);
  const embeddings = visionTower(visionInput(config), config, parameter, {
    ...plainArithmetic(visionParameter(parameter), config),
    product: (x, name) => {
      const { least, largest, mean } = inputs.get(name)!;
      const [low, high] = [Math.min(0, ...least), Math.max(0, ...largest)];
      const step = (high - low) / 255;
      const scales: InputScales = { grid: { step, zero: Math.round(-low / step) }, reach: 127 };
      const [weight, bias] = ['weight', 'bias'].map((part) => values.get(`vision_model.${name}.${part}`)!);
      const rounded = eightBitWeights(name, weight!, bias!, scales, mean);
      const { weights, steps, bias: shifted } = rounded;
      return eightBitProduct(quantize(x, scales.grid), scales.grid, weights, steps, shifted);
    },
  });
  const session = await Session.create({ embeddings });
  const result = await session.run<'embeddings'>({ pixels });
  await session.dispose();
  return result.embeddings;
}

function worstCosine(a: Float32Tensor, b: Float32Tensor): number {
  const size = a.shape[1]!;
  const dot = (x: Float32Array, y: Float32Array) => x.reduce((sum, value, at) => sum + value * y[at]!, 0);
  return Math.min(
    ...Array.from({ length: a.shape[0]! }, (_, row) => {
      const [x, y] = [a, b].map(({ data }) => data.subarray(row * size, (row + 1) * size));
      return dot(x!, y!) / Math.sqrt(dot(x!, x!) * dot(y!, y!));
    }),
  );
}
