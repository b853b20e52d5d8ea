/** float16 on WebGPU: operators, both towers, gradients and a training against float32 on the CPU. */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadClip } from '../src/clip/index.ts';
import { expectEngineAgrees } from './graph-checks.ts';
import { halfCases } from './half-cases.ts';
import { trainingErrors } from './training-reference.ts';

// The description of a Vulkan driver that computes in float16: Mesa's lavapipe does, SwiftShader does not. Empty: the
// machine's own. It takes a process of its own, because a process has one driver.
const driver = process.env.LINCIR_TEST_FLOAT16_DRIVER;
const skip = driver === undefined && 'set LINCIR_TEST_FLOAT16_DRIVER to a driver that has float16';
if (driver) process.env.VK_DRIVER_FILES = driver;

const half = { device: 'webgpu', precision: 'float16' } as const;
const tinyClip = join(import.meta.dirname, 'fixtures/tiny-clip');
const pictures = [0, 1, 2].map((number) => {
  const data = Uint8Array.from({ length: 3 * 40 * 30 }, (_, at) => (at * (7 + number) + 50 * number) % 256);
  return { width: 40, height: 30, data };
});

for (const [name, build] of Object.entries(halfCases)) {
  test(`${name}: values and gradients`, { skip }, async () => {
    await expectEngineAgrees(build, 5e-3, half);
  });
}

test('embeddings of texts and images point where those of float32 do', { skip }, async () => {
  const texts = ['a red dog', 'two cats on a chair near the window', 'snow'];
  const embedded = async (options: Parameters<typeof loadClip>[1]) => {
    const clip = await loadClip(tinyClip, options);
    const found = [await clip.encodeTexts(texts), await clip.encodeImages(pictures)];
    await clip.dispose();
    return found;
  };
  const [found, expected] = [await embedded(half), await embedded({})];
  for (const [tower, { shape, data }] of expected.entries()) {
    const width = shape[1]!;
    for (let start = 0; start < data.length; start += width) {
      const [a, b] = [found[tower]!.data, data].map((all) => all.subarray(start, start + width));
      const similarity = cosine(a!, b!);
      assert.ok(similarity > 0.9999 && similarity < 1 - 1e-12, `${similarity}`); // not float32 either
    }
  }
});

test('a training follows that of PyTorch in float32', { skip }, async () => {
  const reference = join(import.meta.dirname, 'fixtures/training-step/reference.safetensors');
  const errors = await trainingErrors(tinyClip, reference, 1024, 'webgpu', 'float16');
  const { loss, gradient, weights } = errors;
  assert.ok(loss < 1e-2 && gradient < 2.5e-2 && weights < 1e-2, JSON.stringify(errors));
});

function cosine(a: Float32Array, b: Float32Array): number {
  const dot = (x: Float32Array, y: Float32Array) => x.reduce((sum, value, at) => sum + value * y[at]!, 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}
