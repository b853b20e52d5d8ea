/** The pairs of training: none held out, repeatable, and every scene once in every pass. */

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { loadTokenizer, preprocessImage, readPreprocessing } from '../clip/index.ts';
import { editsBetween } from './changes.ts';
import { preprocessorJson, writeDescription } from './clip-model.ts';
import { renderScene } from './render.ts';
import { isHeldOut, sceneKey } from './scene.ts';
import { tokenizerFile } from './tokenizer-file.ts';
import { defaultClipTraining } from './train-clip.ts';
import { heldOutScenes, pairsOfStep, scenePool, trainingScenes } from './training-pairs.ts';

const side = 16;
const shape = { ...defaultClipTraining.shape, imageSize: side };
const folder = await mkdtemp(join(tmpdir(), 'lincir-'));
after(() => rm(folder, { recursive: true }));
await writeDescription(folder, shape, tokenizerFile([]));
const tokenizer = await loadTokenizer(folder);
const preprocessing = readPreprocessing(preprocessorJson(shape), 'preprocessor_config.json');
const settings = { preprocessing, tokenizer, seed: 3, changesAfter: 0, twinsAfter: 0 };
const scenes = trainingScenes(10, 3);
const pool = await scenePool(scenes, side);

test('scenes are distinct and held out, or not, as asked', () => {
  const kept = heldOutScenes(300, 3);
  const seen = trainingScenes(300, 3);
  assert.ok(kept.every(isHeldOut));
  assert.ok(!seen.some(isHeldOut));
  assert.equal(new Set([...kept, ...seen].map(sceneKey)).size, 600);
  assert.deepEqual(seen.slice(0, 10), scenes);
});

test('every second scene is nearly the one before', () => {
  const seen = trainingScenes(300, 3);
  for (let at = 0; at < 300; at += 2) {
    assert.ok(editsBetween(seen[at]!, seen[at + 1]!), `${sceneKey(seen[at]!)} | ${sceneKey(seen[at + 1]!)}`);
  }
});

test('pictures are those of their scenes, prepared as the model prepares any picture', async () => {
  const { pixels } = await pairsOfStep(1, 4, pool, settings);
  const all = await Promise.all(
    scenes.map(async (scene) => preprocessImage(await renderScene(scene, side), preprocessing)),
  );
  const area = 3 * side ** 2;
  for (let row = 0; row < 4; row += 1) {
    const found = pixels.subarray(row * area, (row + 1) * area);
    assert.ok(all.some((picture) => Buffer.compare(bytesOf(picture), bytesOf(found)) === 0));
  }
});

test('a pass shows every scene at most once, and the next one orders them anew', async () => {
  const steps = await Promise.all([1, 2, 3, 4].map((step) => pairsOfStep(step, 4, pool, settings)));
  const area = 3 * side ** 2;
  const pictures = steps.map(({ pixels }) =>
    [0, 1, 2, 3].map((row) => bytesOf(pixels.subarray(row * area, (row + 1) * area)).toString('hex')),
  );
  assert.equal(new Set([...pictures[0]!, ...pictures[1]!]).size, 8);
  assert.equal(new Set([...pictures[2]!, ...pictures[3]!]).size, 8);
  assert.notDeepEqual(pictures.slice(0, 2), pictures.slice(2));
});

test('a step is the same whenever it is asked for, its captions shortest first', async () => {
  const first = await pairsOfStep(5, 4, pool, settings);
  assert.deepEqual(await pairsOfStep(5, 4, pool, settings), first);
  assert.notDeepEqual((await pairsOfStep(5, 4, pool, { ...settings, seed: 4 })).captions, first.captions);
  const lengths = first.captions.map((ids) => ids.length);
  assert.deepEqual(
    lengths,
    lengths.toSorted((a, b) => a - b),
  );
  assert.ok(first.captions.every((ids) => ids.at(-1) === tokenizer.endOfText));
});

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
