/** The pairs of training: none held out, repeatable, and every scene once in every pass. */

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { loadTokenizer, preprocessImage, readPreprocessing } from '../../src/clip/index.ts';
import { folderFiles } from '../../src/files/index.ts';
import { editsBetween } from '../../src/mini/world/changes.ts';
import { nameOf } from '../../src/mini/world/names.ts';
import { renderScene } from '../../src/mini/world/render-pixels.ts';
import { isHeldOut, sceneKey } from '../../src/mini/world/scene.ts';
import { preprocessorJson, writeDescription } from './model.ts';
import { tokenizerFile } from './tokenizer-file.ts';
import { defaultClipTraining } from './train.ts';
import { heldOutScenes, pairsOfStep, scenePool, trainingScenes } from './training-pairs.ts';

const side = 16;
const shape = { ...defaultClipTraining.shape, imageSize: side };
const folder = await mkdtemp(join(tmpdir(), 'lincir-'));
after(() => rm(folder, { recursive: true }));
await writeDescription(folder, shape, tokenizerFile([]));
const tokenizer = await loadTokenizer(folderFiles(folder));
const preprocessing = readPreprocessing(preprocessorJson(shape), 'preprocessor_config.json');
const settings = { preprocessing, tokenizer, seed: 3, changesAfter: 0, twinsAfter: 0 };
const training = trainingScenes(8, 3);
const { scenes } = training;
const pool = await scenePool(training, side);

test('scenes are held out, or not, as asked, the same for the same seed', () => {
  const kept = heldOutScenes(300, 3);
  const seen = trainingScenes(300, 3);
  assert.ok(kept.every(isHeldOut));
  assert.equal(new Set(kept.map(sceneKey)).size, 300);
  assert.ok(![...seen.scenes, ...seen.known].some(isHeldOut));
  assert.deepEqual(trainingScenes(300, 3), seen);
});

test('of four scenes, the others are nearly the first', () => {
  const { scenes: seen } = trainingScenes(300, 3);
  for (let at = 0; at < 300; at += 4) {
    const [first, ...others] = seen.slice(at, at + 4);
    assert.equal(new Set([first!, ...others].map(sceneKey)).size, 4);
    for (const other of others) {
      assert.ok(editsBetween(first!, other), `${sceneKey(first!)} | ${sceneKey(other)}`);
    }
  }
});

test('known scenes have names of their own, and come again and again', () => {
  const { scenes: seen, known } = trainingScenes(1200, 3);
  assert.equal(new Set(known.map(nameOf)).size, 100);
  const keys = new Set(known.map(sceneKey));
  const firsts = seen.filter((scene, at) => at % 4 === 0 && keys.has(sceneKey(scene)));
  assert.ok(firsts.length > 150 && firsts.length < 250, `${firsts.length} of 300`);
});

test('images are those of their scenes, prepared as the model prepares any image', async () => {
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

test('a pass shows every scene once, and the next one orders them anew; families may come together', async () => {
  const area = 3 * side ** 2;
  const shown = async (step: number, twinsAfter: number) => {
    const { pixels } = await pairsOfStep(step, 4, pool, { ...settings, twinsAfter });
    return [0, 1, 2, 3].map((row) => bytesOf(pixels.subarray(row * area, (row + 1) * area)).toString('hex'));
  };
  const all = await Promise.all(
    scenes.map(async (scene) =>
      bytesOf(await preprocessImage(await renderScene(scene, side), preprocessing)).toString('hex'),
    ),
  );
  for (const twinsAfter of [0, 4]) {
    const steps = await Promise.all([1, 2, 3, 4].map((step) => shown(step, twinsAfter)));
    assert.deepEqual([...steps[0]!, ...steps[1]!].sort(), all.toSorted());
    assert.deepEqual([...steps[2]!, ...steps[3]!].sort(), all.toSorted());
    const family = all.slice(0, 4).sort();
    const together = steps.filter((step) => step.toSorted().join() === family.join()).length;
    assert.equal(together, twinsAfter === 0 ? 2 : 0);
  }
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
