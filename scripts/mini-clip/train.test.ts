/** The training loop on pairs that a few steps can learn: it learns them, and can be interrupted without a trace. */

import assert from 'node:assert/strict';
import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { loadClip } from '../../src/clip/index.ts';
import { LincirError, normals } from '../../src/core/index.ts';
import type { PairBatch } from './contrast.ts';
import { tokenizerFile } from './tokenizer-file.ts';
import { type ClipTrainingOptions, type ClipTrainingStep, defaultClipTraining, trainClip } from './train.ts';
import { logFile } from './training-state.ts';

const root = await mkdtemp(join(tmpdir(), 'lincir-'));
after(() => rm(root, { recursive: true }));

const words = ['red', 'green', 'blue', 'dark'];
const colours = [
  [2, -1, -1],
  [-1, 2, -1],
  [-1, -1, 2],
  [-2, -2, -2],
] as const;
const tokenizer = tokenizerFile(words);
const firstId = (word: string) =>
  (tokenizer.json as { model: { vocab: Record<string, number> } }).model.vocab[`${word}</w>`]!;

/** Noisy images of one colour each, and its name. */
async function pairs(step: number): Promise<PairBatch> {
  const chance = normals({ seed: 2, purpose: 'noise', moment: step, row: 0 }, 4 * 3 * 64);
  const pixels = chance.map(
    (value, at) => colours[Math.floor(at / 192)]![Math.floor(at / 64) % 3]! + 0.2 * value,
  );
  const [start, end] = [tokenizer.vocabulary - 2, tokenizer.vocabulary - 1];
  return { pixels, captions: words.map((word) => [start, firstId(word), end]) };
}

const shape = {
  ...{ width: 16, heads: 2, textLayers: 1, visionLayers: 2, feedForward: 16, projection: 8 },
  ...{ positions: 8, imageSize: 8, patchSize: 4 },
};
const settings = { ...defaultClipTraining, shape, steps: 60, batch: 4, groups: 2, warmup: 5 };
const optionsIn = (folder: string): ClipTrainingOptions => {
  return { settings, tokenizer, pairs, folder: join(root, folder), threads: 1, saveEvery: 20 };
};

async function trained(options: ClipTrainingOptions, until = Infinity): Promise<ClipTrainingStep[]> {
  const steps: ClipTrainingStep[] = [];
  for await (const step of trainClip(options)) {
    steps.push(step);
    if (step.step >= until) break;
  }
  return steps;
}

const whole = await trained(optionsIn('whole'));

test('a model learns which caption is whose, and loads as any CLIP does', async () => {
  assert.ok(whole[0]!.loss > 1 && whole.at(-1)!.loss < 0.1, `${whole[0]!.loss} to ${whole.at(-1)!.loss}`);
  assert.equal(whole.at(-1)!.accuracy, 1);
  const clip = await loadClip(join(root, 'whole'), { threads: 1 });
  const texts = await clip.encodeTexts(words, { normalize: true });
  const images = await clip.encodePixels((await pairs(1000)).pixels);
  for (let image = 0; image < 4; image += 1) {
    const cosines = words.map((_, text) => {
      const products = [...Array(8).keys()].map(
        (at) => images.data[8 * image + at]! * texts.data[8 * text + at]!,
      );
      return products.reduce((sum, product) => sum + product);
    });
    assert.equal(cosines.indexOf(Math.max(...cosines)), image);
  }
  await clip.dispose();
});

test('a resumed training ends with the same model and log', async () => {
  await trained(optionsIn('resumed'), 29);
  await appendFile(join(root, 'resumed', logFile), '{"step":30,"lo'); // the process was killed here
  const rest = await trained({ ...optionsIn('resumed'), resume: true });
  assert.equal(rest[0]!.step, 21);
  const weights = (folder: string) => readFile(join(root, folder, 'model.safetensors'));
  assert.deepEqual(await weights('resumed'), await weights('whole'));
  const steps = async (folder: string) =>
    (await readFile(join(root, folder, logFile), 'utf8'))
      .trim()
      .split('\n')
      .map((line) => ({ ...JSON.parse(line), seconds: 0 }));
  assert.deepEqual(await steps('resumed'), await steps('whole'));
  assert.equal((await steps('whole')).length, 1 + 60);
});

test('other settings, a broken log and a folder without a state are refused', async () => {
  const options = optionsIn('whole');
  const refused = (given: ClipTrainingOptions, code: string) =>
    assert.rejects(
      trained({ ...given, resume: true }),
      (error) => error instanceof LincirError && error.code === code,
    );
  await refused({ ...options, settings: { ...settings, learningRate: 0.1 } }, 'bad-argument');
  await refused(optionsIn('nothing'), 'not-found');
  await appendFile(join(root, 'whole', logFile), '{"loss":0}\n');
  await refused(options, 'bad-file');
});

test('a loss that is not finite ends the training', async () => {
  const broken = async (step: number) => ({
    ...(await pairs(step)),
    pixels: new Float32Array(768).fill(NaN),
  });
  await assert.rejects(
    trained({ ...optionsIn('broken'), pairs: broken }),
    (error) => error instanceof LincirError && error.problem.subject === 'step 1',
  );
});
