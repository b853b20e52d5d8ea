/** Trains the miniature world's CLIP into models/mini, and evaluates it: `npm run mini:train-clip`. */

import { copyFile, mkdir, rename } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadClip, loadTokenizer, readPreprocessing } from '../src/clip/index.ts';
import { sequence } from '../src/core/index.ts';
import { miniConfig, preprocessorJson, writeDescription } from '../src/mini/clip-model.ts';
import { evaluateClip } from '../src/mini/evaluate-clip.ts';
import { caption } from '../src/mini/grammar.ts';
import { tokenizerFile } from '../src/mini/tokenizer-file.ts';
import { defaultClipTraining, trainClip } from '../src/mini/train-clip.ts';
import { pairsOfStep, scenePool, trainingScenes } from '../src/mini/training-pairs.ts';
import { logFile } from '../src/mini/training-state.ts';

const { values: given } = parseArgs({
  options: {
    steps: { type: 'string', default: `${defaultClipTraining.steps}` },
    seed: { type: 'string', default: `${defaultClipTraining.seed}` },
    /** Scenes to learn from. */
    scenes: { type: 'string', default: '40000' },
    /** Other settings, and parts of the model's shape, as JSON. */
    settings: { type: 'string', default: '{}' },
    shape: { type: 'string', default: '{}' },
    /** Where the training keeps its model, its state and its log while it goes on. */
    run: { type: 'string', default: join(tmpdir(), 'lincir-mini-clip') },
    out: { type: 'string', default: join(import.meta.dirname, '../models/mini') },
    resume: { type: 'boolean', default: false },
    /** Evaluate the model in a folder, and do nothing else. */
    evaluate: { type: 'string' },
  },
});

if (given.evaluate === undefined) await train();
await evaluate(given.evaluate ?? given.out);

async function train(): Promise<void> {
  const { run, out, resume } = given;
  const shape = { ...defaultClipTraining.shape, ...JSON.parse(given.shape) };
  const [seed, steps] = [Number(given.seed), Number(given.steps)];
  const settings = { ...defaultClipTraining, seed, steps, ...JSON.parse(given.settings), shape };

  const scenes = trainingScenes(Number(given.scenes), seed);
  const vocabulary = tokenizerFile(
    scenes.map((scene, row) =>
      caption(scene, sequence({ seed, purpose: 'scene', moment: 0, row: 10 + row })),
    ),
  );
  await writeDescription(run, shape, vocabulary);
  const tokenizer = await loadTokenizer(run, miniConfig(shape, vocabulary.vocabulary).text);
  const preprocessing = readPreprocessing(preprocessorJson(shape), 'preprocessor_config.json');
  console.log(`${vocabulary.vocabulary} tokens`);

  const pool = await scenePool(scenes, shape.imageSize, (drawn) => {
    if (drawn % 6400 === 0) console.log(`${drawn} pictures drawn`);
  });
  const pairs = (step: number) =>
    pairsOfStep(step, settings.batch, pool, {
      ...{ preprocessing, tokenizer, seed },
      twinsAfter: Math.round(settings.twinsAfter * steps),
    });
  const options = { settings, tokenizer: vocabulary, pairs, folder: run, resume, saveEvery: 200 };
  for await (const { step, loss, accuracy, gradientNorm, factor, seconds } of trainClip(options)) {
    if (step % 20 !== 0) continue;
    const numbers = [loss, accuracy, gradientNorm, factor].map((value) => value.toFixed(3)).join('  ');
    console.log(`step ${step}  ${numbers}  ${seconds.toFixed(0)} s`);
  }

  await mkdir(out, { recursive: true });
  for (const name of [
    'config.json',
    'preprocessor_config.json',
    'tokenizer.json',
    logFile,
    'model.safetensors',
  ]) {
    const aside = join(out, `.${name}.tmp`);
    await copyFile(join(run, name), aside);
    await rename(aside, join(out, name));
  }
}

async function evaluate(folder: string): Promise<void> {
  const clip = await loadClip(folder);
  console.log(JSON.stringify(await evaluateClip(clip), null, 2));
  await clip.dispose();
}
