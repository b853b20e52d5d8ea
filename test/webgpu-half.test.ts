/** float16 on WebGPU: operators, both towers, gradients and a training against float32 on the CPU. */

import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type LoadClipOptions, loadClip } from '../src/clip/index.ts';
import { halfOf, readSafetensorsHeader, readTensor } from '../src/core/index.ts';
import { readingFile, writeSafetensors } from '../src/files/index.ts';
import { trainPhi } from '../src/training/index.ts';
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

/** The model with weights that are stored as float16. */
async function storedAsHalf(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lincir-half-'));
  context.after(() => rm(folder, { recursive: true }));
  await cp(tinyClip, folder, { recursive: true });
  const { tensors } = await readingFile(join(tinyClip, 'model.safetensors'), readSafetensorsHeader);
  const halves = Array.from(tensors.values(), async (tensor) => {
    const { shape, data } = await readTensor(tensor);
    return { name: tensor.name, type: 'float16', shape, data: Uint16Array.from(data, halfOf) } as const;
  });
  await writeSafetensors(join(folder, 'model.safetensors'), await Promise.all(halves));
  return folder;
}

for (const [type, folderOf] of Object.entries({ float32: async () => tinyClip, float16: storedAsHalf })) {
  test(`with ${type} weights, embeddings point where those of float32 do`, { skip }, async (context) => {
    const folder = await folderOf(context);
    const texts = ['a red dog', 'two cats on a chair near the window', 'snow'];
    const embedded = async (options: LoadClipOptions) => {
      const clip = await loadClip(folder, options);
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
}

test('a training follows that of PyTorch in float32', { skip }, async () => {
  const reference = join(import.meta.dirname, 'fixtures/training-step/reference.safetensors');
  const errors = await trainingErrors(tinyClip, reference, 1024, 'webgpu', 'float16');
  const { loss, gradient, weights } = errors;
  assert.ok(loss < 1e-2 && gradient < 2.5e-2 && weights < 1e-2, JSON.stringify(errors));
});

test('a run loses as one on the CPU does, and goes on after a stop as if there had been none', {
  skip,
}, async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'lincir-half-'));
  context.after(() => rm(folder, { recursive: true }));
  const captions = join(folder, 'captions.txt');
  await writeFile(
    captions,
    'a red dog on a beach\ntwo old cats near the house\na boat\na hat behind the small tree\n',
  );
  const options = { model: tinyClip, captions: [captions], batch: 8, steps: 4, learningRate: 1e-3 };
  const run = async (out: string, more: object): Promise<number[]> => {
    const losses: number[] = [];
    for await (const event of trainPhi({ ...options, ...more, out: join(folder, out) })) {
      if (event.kind === 'step') losses.push(event.loss);
    }
    return losses;
  };
  const expected = await run('cpu', {});
  const found = await run('whole', half);
  for (const [step, loss] of found.entries()) {
    const error = Math.abs(loss / expected[step]! - 1);
    assert.ok(error > 1e-7 && error < 1e-2, `step ${step + 1}: ${loss} instead of ${expected[step]}`);
  }
  await run('stopped', { ...half, steps: 2 });
  for await (const _ of trainPhi({ resume: join(folder, 'stopped'), steps: 4 }));
  const [whole, stopped] = await Promise.all(
    ['whole', 'stopped'].map((out) => readFile(join(folder, out, 'phi-latest.safetensors'))),
  );
  assert.deepEqual(whole, stopped);
});

function cosine(a: Float32Array, b: Float32Array): number {
  const dot = (x: Float32Array, y: Float32Array) => x.reduce((sum, value, at) => sum + value * y[at]!, 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}
