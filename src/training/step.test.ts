/** A step's gradient: the same however it is cut, exact by finite differences, and learning from it works. */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { PreparedCaption } from '../captions/index.ts';
import { loadClip } from '../clip/index.ts';
import { normals, type RandomStream, uniforms } from '../core/index.ts';
import { initialPhi, type PhiArchitecture, phiShape } from '../phi/index.ts';
import { flatParameters } from './parameters.ts';
import { type StepNoise, TrainingStep } from './step.ts';

const folder = join(import.meta.dirname, '../../test/fixtures/tiny-clip');
const clip = await loadClip(folder);
const config = clip.config.text!;
const model = { config, tensors: clip.checkpoint.tensors, startOfText: clip.tokenizer.startOfText };

/** Captions of many lengths, with one to three placeholders each. */
const captions = Array.from({ length: 24 }, (_, row): PreparedCaption => {
  const words = (count: number) => Array.from({ length: count }, (_, at) => 1 + ((row * 31 + at * 7) % 200));
  const { startOfText, endOfText } = clip.tokenizer;
  const length = 1 + ((row * 13) % 75);
  const placeholders = [1, 3, 4].slice(0, 1 + (row % 3)).map((position) => Math.min(position, length));
  return {
    ids: [startOfText!, ...words(length), endOfText],
    masked: [startOfText!, ...words(length), endOfText],
    placeholders: [...new Set(placeholders)],
  };
});

function noiseFor(hidden: number): StepNoise {
  const stream: RandomStream = { seed: 1, purpose: 'noise', moment: 0, row: 0 };
  const mask = (row: number) =>
    uniforms({ ...stream, purpose: 'dropout', row }, captions.length * hidden).map((u) => (u < 0.5 ? 0 : 2));
  return { noise: normals(stream, captions.length * config.projection), masks: [mask(0), mask(1)] };
}

async function gradientOf(positionsPerRun: number, architecture: PhiArchitecture = 'lincir') {
  const shape = phiShape(architecture, config);
  const parameters = flatParameters(shape, initialPhi(shape, 3));
  const step = await TrainingStep.create(model, shape, { positionsPerRun, l2Normalize: false });
  const noise = noiseFor(shape.hidden);
  const targets = await step.embeddings(captions);
  const lossAt = async () => {
    const { errors } = await step.gradient(captions, targets, parameters.tensors, noise);
    return errors.reduce((sum, error) => sum + error, 0) / captions.length;
  };
  return { ...(await step.gradient(captions, targets, parameters.tensors, noise)), parameters, lossAt, step };
}

function relativeDistance(a: Float32Array, b: Float32Array): number {
  const squares = (values: Float32Array) => values.reduce((sum, value) => sum + value * value, 0);
  return Math.sqrt(squares(a.map((value, at) => value - b[at]!)) / squares(b));
}

test('micro-batches add up to the whole batch', async () => {
  const [small, whole] = [await gradientOf(100), await gradientOf(1_000_000)];
  for (const [name, expected] of whole.gradients) {
    const distance = relativeDistance(small.gradients.get(name)!.data, expected.data);
    assert.ok(distance < 1e-5, `${name}: ${distance}`);
  }
  assert.ok(relativeDistance(small.errors, whole.errors) < 1e-6);
});

for (const architecture of ['lincir', 'pic2word'] as const) {
  test(`the gradient of ${architecture} is that of the loss, by central differences`, async () => {
    const { gradients, parameters, lossAt } = await gradientOf(1024, architecture);
    for (const [name, { data: gradient }] of gradients) {
      // Along the gradient itself the loss changes most, and float32 shows it best.
      const { data } = parameters.tensors.get(name)!;
      const norm = Math.sqrt(gradient.reduce((sum, value) => sum + value * value, 0));
      const begin = data.slice();
      const lossAfter = async (distance: number) => {
        data.set(begin.map((value, at) => value + (distance * gradient[at]!) / norm));
        return await lossAt();
      };
      const distance = 0.01;
      const slope = ((await lossAfter(distance)) - (await lossAfter(-distance))) / (2 * distance);
      data.set(begin);
      assert.ok(Math.abs(slope / norm - 1) < 0.01, `${name}: ${slope} for ${norm}`);
    }
  });
}
