/** Trains the miniature world's CLIP into models/mini, and evaluates it: `npm run mini:train-clip`. */

import { copyFile, mkdir, rename } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadClip, loadTokenizer, readPreprocessing } from '../src/clip/index.ts';
import { sequence } from '../src/core/index.ts';
import { folderFiles } from '../src/files/index.ts';
import { caption } from '../src/mini/grammar/grammar.ts';
import { nameOf } from '../src/mini/world/names.ts';
import { renderScene } from '../src/mini/world/render-pixels.ts';
import type { Scene } from '../src/mini/world/scene.ts';
import { closeGap } from './mini-clip/close-gap.ts';
import { evaluateClip } from './mini-clip/evaluate.ts';
import {
  type ClipParameters,
  emptyParameters,
  miniConfig,
  preprocessorJson,
  writeDescription,
  writeWeights,
} from './mini-clip/model.ts';
import { tokenizerFile } from './mini-clip/tokenizer-file.ts';
import { defaultClipTraining, trainClip } from './mini-clip/train.ts';
import { pairsOfStep, scenePool, trainingScenes } from './mini-clip/training-pairs.ts';
import { logFile, readState } from './mini-clip/training-state.ts';

const { values: given } = parseArgs({
  options: {
    steps: { type: 'string', default: `${defaultClipTraining.steps}` },
    seed: { type: 'string', default: `${defaultClipTraining.seed}` },
    /** Scenes to learn from. */
    scenes: { type: 'string', default: '32000' },
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

/** So many training scenes say where both sides' embeddings lie. */
const gapScenes = 2000;

if (given.evaluate === undefined) await train();
await evaluate(given.evaluate ?? given.out);

async function train(): Promise<void> {
  const { run, out, resume } = given;
  const shape = { ...defaultClipTraining.shape, ...JSON.parse(given.shape) };
  const [seed, steps] = [Number(given.seed), Number(given.steps)];
  const settings = { ...defaultClipTraining, seed, steps, ...JSON.parse(given.settings), shape };

  const training = trainingScenes(Number(given.scenes), seed);
  const { scenes, known } = training;
  const vocabulary = tokenizerFile([
    ...known.map(nameOf),
    ...scenes.map((scene, row) =>
      caption(scene, sequence({ seed, purpose: 'scene', moment: 0, row: 10 + row })),
    ),
  ]);
  await writeDescription(run, shape, vocabulary);
  const tokenizer = await loadTokenizer(folderFiles(run), miniConfig(shape, vocabulary.vocabulary).text);
  const preprocessing = readPreprocessing(preprocessorJson(shape), 'preprocessor_config.json');
  console.log(`${vocabulary.vocabulary} tokens`);

  const pool = await scenePool(training, shape.imageSize, (drawn) => {
    if (drawn % 6400 === 0) console.log(`${drawn} images drawn`);
  });
  const pairs = (step: number) =>
    pairsOfStep(step, settings.batch, pool, {
      ...{ preprocessing, tokenizer, seed },
      changesAfter: Math.round(settings.changesAfter * steps),
      twinsAfter: Math.round(settings.twinsAfter * steps),
    });
  const options = { settings, tokenizer: vocabulary, pairs, folder: run, resume, saveEvery: 200 };
  for await (const { step, loss, accuracy, gradientNorm, factor, seconds } of trainClip(options)) {
    if (step % 20 !== 0) continue;
    const numbers = [loss, accuracy, gradientNorm, factor].map((value) => value.toFixed(3)).join('  ');
    console.log(`step ${step}  ${numbers}  ${seconds.toFixed(0)} s`);
  }

  const parameters = emptyParameters(miniConfig(shape, vocabulary.vocabulary));
  parameters.values.set((await readState(run, parameters.values.length)).parameters);
  await withoutGap(run, parameters, scenes.slice(0, gapScenes), seed);
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

/** Closes the gap between the images of these scenes and their captions, in the model's file. */
async function withoutGap(
  folder: string,
  parameters: ClipParameters,
  scenes: readonly Scene[],
  seed: number,
): Promise<void> {
  await writeWeights(folder, parameters);
  const clip = await loadClip(folder);
  const { imageSize } = clip.visionConfig;
  const pictures = await clip.encodeImages(
    await Promise.all(scenes.map((scene) => renderScene(scene, imageSize))),
  );
  const said = scenes.map((scene, row) => {
    const random = sequence({ seed, purpose: 'scene', moment: 0, row: 10 + row });
    return caption(scene, random, { complete: true, changed: false });
  });
  const texts = await clip.encodeTexts(said);
  await clip.dispose();
  closeGap(parameters, pictures, texts);
  await writeWeights(folder, parameters);
}

async function evaluate(folder: string): Promise<void> {
  const clip = await loadClip(folder);
  console.log(JSON.stringify(await evaluateClip(clip), null, 2));
  await clip.dispose();
}
