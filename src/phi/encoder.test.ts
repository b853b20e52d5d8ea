/** phi at work, against PyTorch's outputs for files in the published layouts. */

import assert from 'node:assert/strict';
import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { refused, setUp } from '../../test/hub-setup.ts';
import { type Float32Tensor, normals, readSafetensorsHeader, readTensor } from '../core/index.ts';
import { readingFile } from '../files/index.ts';
import { loadPhi, Phi } from './encoder.ts';
import { initialPhi } from './network.ts';

const published = join(import.meta.dirname, '../../test/fixtures/phi');
const shape = { architecture: 'lincir', input: 6, hidden: 24, output: 8 } as const;
const { tensors: references } = await readingFile(
  join(published, 'reference.safetensors'),
  readSafetensorsHeader,
);
const reference = (name: string): Promise<Float32Tensor> => readTensor(references.get(name)!);

function embeddings(rows: number): Float32Tensor {
  const stream = { seed: 0, purpose: 'noise', moment: 0, row: 0 } as const;
  return { shape: [rows, 6], data: normals(stream, rows * 6) };
}

function relativeError(found: Float32Array, expected: Float32Array): number {
  assert.equal(found.length, expected.length);
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return found.reduce((most, value, at) => Math.max(most, Math.abs(value - expected[at]!)), 0) / largest;
}

for (const name of ['lincir', 'searle', 'bare', 'pic2word']) {
  test(`${name}.pt gives what PyTorch gives`, async () => {
    const phi = await loadPhi(join(published, `${name}.pt`));
    const { shape, data } = await phi.encode(await reference('embeddings'));
    await phi.dispose();
    const expected = await reference(name);
    assert.deepEqual(shape, expected.shape);
    assert.ok(relativeError(data, expected.data) < 1e-5);
  });
}

test('any number of embeddings, each as if it were alone', async () => {
  const phi = await Phi.create({ shape, l2Normalize: false }, initialPhi(shape, 0), { threads: 1 });
  const many = embeddings(2500);
  const { shape: sizes, data } = await phi.encode(many);
  assert.deepEqual(sizes, [2500, 8]);
  for (const row of [0, 1023, 1024, 2047, 2048, 2499]) {
    const alone = await phi.encode({ shape: [1, 6], data: many.data.subarray(row * 6, row * 6 + 6) });
    assert.ok(relativeError(data.subarray(row * 8, row * 8 + 8), alone.data) < 1e-5);
  }
  assert.deepEqual(await phi.encode(embeddings(0)), { shape: [0, 8], data: new Float32Array() });
  await phi.dispose();
});

test('a phi trained on embeddings of length 1 takes them of any length', async () => {
  const phi = await Phi.create({ shape, l2Normalize: true }, initialPhi(shape, 0));
  const plain = await Phi.create({ shape, l2Normalize: false }, initialPhi(shape, 0));
  const { data } = embeddings(1);
  const norm = Math.hypot(...data);
  const expected = await plain.encode({ shape: [1, 6], data: data.map((value) => value / norm) });
  for (const length of [0.01, 1, 30]) {
    const found = await phi.encode({ shape: [1, 6], data: data.map((value) => value * length) });
    assert.ok(relativeError(found.data, expected.data) < 1e-5);
  }
  await phi.dispose();
  await plain.dispose();
});

test('embeddings of other dimensions are refused', async () => {
  const phi = await Phi.create({ shape, l2Normalize: false }, initialPhi(shape, 0));
  for (const sizes of [[2, 5], [12], [3, 6], [0, 5]]) {
    const wrong = { shape: sizes, data: new Float32Array(12) };
    await assert.rejects(phi.encode(wrong), { code: 'bad-argument', message: /expected \[n, 6\], found \[/ });
  }
  await phi.dispose();
});

test('a published one by name, for the model that it is for; what is here under a name wins', async (context) => {
  const files = { 'lincir_large.pt': await readFile(join(published, 'lincir.pt')) };
  const authors = { id: 'navervision/zeroshot-cir-models', commit: 'a'.repeat(40), files };
  const { home, hub, options } = await setUp(context, [authors]);
  const clip = (id: string) => ({
    config: { text: { projection: 6, width: 8 } } as never,
    fingerprint: 'its own',
    ...{ id, folder: 'a/folder' },
  });
  const large = clip('openai/clip-vit-large-patch14');
  const phi = await loadPhi('lincir-large', { ...options, clip: large });
  assert.equal(phi.info.shape.input, 6);
  await phi.dispose();
  const other = loadPhi('lincir-large', { ...options, clip: clip('laion/CLIP-ViT-L-14-laion2B-s32B-b82K') });
  await refused(other, 'bad-argument', /one for laion\/CLIP/, /found one for openai\/clip-vit-large-patch14/);
  const wrong = loadPhi('runs/mine/missing', { ...options, clip: large });
  await refused(wrong, 'not-found', /phi runs\/mine\/missing, which is no file or folder here: runs\/mine/);

  const unknown = loadPhi('lincir-huge', options);
  await refused(unknown, 'bad-argument', /one of lincir-large, pic2word-large/, /lincir models/);

  const asked = hub.requests.length;
  await cp(join(published, 'searle.pt'), join(home, 'navervision/zeroshot-cir-models/lincir_large.pt'));
  const before = process.cwd();
  process.chdir(home);
  const own = await loadPhi(`${authors.id}/lincir_large.pt`, options).finally(() => process.chdir(before));
  await own.dispose();
  assert.equal(hub.requests.length, asked);
});
