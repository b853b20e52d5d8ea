/** The contrastive step against the loss's definition and against finite differences. */

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadClip } from '../../src/clip/index.ts';
import { normals } from '../../src/core/index.ts';
import { ContrastStep, gapWeight, type PairBatch } from './contrast.ts';
import { initialParameters, miniConfig, writeDescription, writeWeights } from './model.ts';
import { tokenizerFile } from './tokenizer-file.ts';

const shape = {
  ...{ width: 8, heads: 2, textLayers: 2, visionLayers: 2, feedForward: 12, projection: 6 },
  ...{ positions: 9, imageSize: 8, patchSize: 4 },
};
const tokenizer = tokenizerFile(['']);
const end = tokenizer.vocabulary - 1;
const config = miniConfig(shape, tokenizer.vocabulary);
const noise = (row: number, count: number) => normals({ seed: 5, purpose: 'noise', moment: 0, row }, count);
const batch: PairBatch = {
  pixels: noise(0, 4 * 3 * 8 * 8),
  captions: [
    [end - 1, 70, end],
    [end - 1, 71, 70, 72, end],
    [end - 1, 73, 73, 71, 70, end],
    [end - 1, 74, 75, 76, 77, 78, 79, end],
  ],
};

/** Away from the beginning, where biases are 0 and some gradients small. */
function someParameters() {
  const parameters = initialParameters(config, 3);
  const { values } = parameters;
  values.set(noise(1, values.length).map((value, at) => 2 * values[at]! + 0.1 * value));
  parameters.tensors.get('logit_scale')!.data[0] = 2; // much higher, differences drown in rounding
  for (const name of ['visual_projection.weight', 'text_projection.weight']) {
    const { data } = parameters.tensors.get(name)!; // the same goes for a large gap; cosines stay as they are
    data.forEach((value, at) => {
      data[at] = value / 20;
    });
  }
  return parameters;
}

test('the loss is both directions’ cross entropies of scaled cosines, and the gap between both sides', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'lincir-'));
  t.after(() => rm(folder, { recursive: true }));
  const parameters = someParameters();
  await writeDescription(folder, shape, tokenizer);
  await writeWeights(folder, parameters);
  const clip = await loadClip(folder);
  const images = (await clip.encodePixels(batch.pixels)).data;
  const texts = (await clip.encodeTokens(batch.captions.map((ids) => ({ ids })))).data;
  await clip.dispose();

  const factor = Math.exp(parameters.tensors.get('logit_scale')!.data[0]!);
  const row = (all: Float32Array, at: number) => [...all.subarray(6 * at, 6 * at + 6)];
  const cosine = (a: number[], b: number[]) =>
    a.reduce((sum, value, at) => sum + value * b[at]!, 0) / Math.hypot(...a) / Math.hypot(...b);
  const four = [0, 1, 2, 3];
  const logits = four.map((i) => four.map((j) => factor * cosine(row(images, i), row(texts, j))));
  const entropy = (scores: number[], own: number) =>
    Math.log(scores.reduce((sum, score) => sum + Math.exp(score), 0)) - scores[own]!;
  const expected = four.map(
    (own) =>
      (entropy(logits[own]!, own) +
        entropy(
          logits.map((scores) => scores[own]!),
          own,
        )) /
      8,
  );

  const mean = (all: Float32Array, axis: number) =>
    four.reduce((sum, at) => sum + row(all, at)[axis]! / 4, 0);
  const axes = [0, 1, 2, 3, 4, 5];
  const gap = axes.reduce((sum, axis) => sum + (mean(images, axis) - mean(texts, axis)) ** 2 / 6, 0);
  const loss = expected.reduce((a, b) => a + b) + gapWeight * gap;

  for (const groups of [1, 2]) {
    const graph = await ContrastStep.create(config, 4, groups, { threads: 1 });
    const found = await graph.run(batch, parameters, new Float32Array(parameters.values.length));
    await graph.dispose();
    assert.ok(Math.abs(found.loss - loss) < 1e-5);
    logits.flat().forEach((logit, at) => {
      assert.ok(Math.abs(found.logits[at]! - logit) < 1e-4);
    });
  }
});

test('the gradient of every parameter agrees with finite differences', async (t) => {
  const graph = await ContrastStep.create(config, 4, 2, { threads: 1 });
  t.after(() => graph.dispose());
  const parameters = someParameters();
  const { values, tensors } = parameters;
  const gradient = new Float32Array(values.length);
  const unused = new Float32Array(values.length);
  await graph.run(batch, parameters, gradient);

  let begin = 0;
  for (const [name, { data }] of tensors) {
    const slope = gradient.slice(begin, begin + data.length);
    begin += data.length;
    // Along the gradient itself, mixed with chance, the loss changes enough to be told from rounding.
    const size = Math.hypot(...slope);
    // Attention's weights do not change when the same is added to all keys.
    if (name.endsWith('k_proj.bias')) {
      assert.ok(size < 1e-4, `${name}: ${size}`);
      continue;
    }
    const chance = noise(begin, data.length);
    const direction = slope.map((value, at) => value / size + (0.5 * chance[at]!) / Math.sqrt(data.length));
    const before = data.slice();
    const step = 0.001 / Math.max(size, 0.5);
    const lossAt = async (distance: number) => {
      data.set(before.map((value, at) => value + distance * direction[at]!));
      return (await graph.run(batch, parameters, unused)).loss;
    };
    const measured = ((await lossAt(step)) - (await lossAt(-step))) / (2 * step);
    data.set(before);
    const expected = slope.reduce((sum, value, at) => sum + value * direction[at]!, 0);
    const tolerance = 0.01 * Math.abs(expected) + 1e-4;
    assert.ok(Math.abs(measured - expected) < tolerance, `${name}: ${measured} for ${expected}`);
  }
});
