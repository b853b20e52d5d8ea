/**
 * A vision tower in OpenCLIP's layout, such as one of timm's, forward in float32 against PyTorch:
 * `node bench/open-clip-images.ts FOLDER [ROUNDS]`. The folder has `open_clip_config.json` and weights.
 */

import { basename } from 'node:path';
import { openTowers, parametersOf, visionInput, visionTower } from '../src/clip/index.ts';
import { folderFiles } from '../src/files/index.ts';
import { Session } from '../src/onnx/index.ts';
import { machine, rounded, saveResult } from './results.ts';
import { Torch } from './torch.ts';
import { takeTurns, timed } from './turns.ts';

const [folder, rounds = '7'] = process.argv.slice(2);
if (folder === undefined) throw new Error('usage: node bench/open-clip-images.ts FOLDER [ROUNDS]');
const threads = 2;
const images = 8;

const { config, checkpoint } = await openTowers(folderFiles(folder));
const vision = config.vision!;
const { imageSize, channels } = vision;
const embeddings = visionTower(visionInput(vision), vision, parametersOf(checkpoint.tensors));
const before = process.memoryUsage().rss;
const session = await Session.create({ embeddings }, { threads });
const area = channels * imageSize ** 2;

/** All images, `batch` at a time. */
const encode = (batch: number) => {
  const data = Float32Array.from({ length: batch * area }, () => Math.random() - 0.5);
  const pixels = { shape: [batch, channels, imageSize, imageSize], data };
  return () =>
    timed(async () => {
      for (let done = 0; done < images; done += batch) await session.run({ pixels });
    });
};

const torch = await Torch.start(
  'open_clip_images.py',
  ['--model', folder, '--batch', `${images}`, '--threads', `${threads}`],
  { settings: { plain: [] }, isQuick: true },
);
const times = await takeTurns<string>(
  { '1 a run': encode(1), '4 a run': encode(4), '8 a run': encode(images), ...torch.sides },
  Number(rounds),
);
const memory = process.memoryUsage().rss - before;
await Promise.all([session.dispose(), torch.stop()]);

const ours = Object.entries(times).filter(([side]) => side.endsWith('a run'));
const [best, timing] = ours.toSorted(([, a], [, b]) => a.median - b.median)[0]!;
const result = {
  best,
  imagesPerSecond: rounded(images / timing.median),
  mebibytes: Math.round(memory / 2 ** 20),
  ...torch.compared(timing, times),
};
console.log(JSON.stringify(result, null, 1));
await saveResult(`open-clip-images-${basename(folder)}`, {
  machine: machine(),
  threads,
  ...vision,
  ...result,
  seconds: times,
});
