/**
 * The vision tower forward against PyTorch on the same number of images, and against ONNX Runtime's own matrix
 * product: `node bench/image-encoding.ts MODEL [ROUNDS]`. PyTorch gets its best settings in
 * float32 and in bfloat16, as they are and compiled (torch.ts).
 */

import { parametersOf, readClipConfig, visionInput, visionTower } from '../src/clip/index.ts';
import { openCheckpoint } from '../src/core/index.ts';
import { folderFiles, readJsonFile } from '../src/files/index.ts';
import { productFlops, Session } from '../src/onnx/index.ts';
import { gemmPeak } from './gemm-peak.ts';
import { machine, rounded, saveResult } from './results.ts';
import { Torch } from './torch.ts';
import { gflopsOf, relativeRate, takeTurns, timed } from './turns.ts';

const [folder, rounds = '9'] = process.argv.slice(2);
if (folder === undefined) throw new Error('usage: node bench/image-encoding.ts MODEL [ROUNDS]');
const threads = 2;
const images = 16;

const configFile = `${folder}/config.json`;
const config = readClipConfig(await readJsonFile(configFile), configFile).vision!;
const { imageSize, patchSize, channels, width, feedForward } = config;
const { tensors } = await openCheckpoint(folderFiles(folder));
const embeddings = visionTower(visionInput(config), config, parametersOf(tensors));
const session = await Session.create({ embeddings }, { threads });
const area = channels * imageSize ** 2;

/** All images, `batch` at a time. */
const encode = (batch: number) => {
  const pixels = Float32Array.from({ length: batch * area }, () => Math.random() - 0.5);
  const feeds = { pixels: { shape: [batch, channels, imageSize, imageSize], data: pixels } };
  return () =>
    timed(async () => {
      for (let done = 0; done < images; done += batch) await session.run(feeds);
    });
};

const options = ['--model', folder, '--batch', `${images}`, '--threads', `${threads}`];
const torch = await Torch.start('image_encoding.py', options, {
  settings: { sdpa: [], eager: ['--attention', 'eager'], 'channels-last': ['--channels-last'] },
});
const peak = await gemmPeak({ rows: 1024, width, wide: feedForward }, { threads });
const times = await takeTurns<string>(
  {
    'lincir, 1 a run': encode(1),
    'lincir, 4 a run': encode(4),
    'lincir, 16 a run': encode(16),
    peak: peak.side,
    ...torch.sides,
  },
  Number(rounds),
);
await Promise.all([session.dispose(), peak.dispose(), torch.stop()]);

const flops = images * productFlops([embeddings], { batch: 1 });
const gemm = { timing: times.peak!, flops: peak.flops };
const sides = Object.entries(times).filter(([name]) => name !== 'peak');
const ours = Object.entries(times)
  .filter(([name]) => name.startsWith('lincir'))
  .toSorted(([, a], [, b]) => a.median - b.median)[0]!;
const result = {
  gemmGflops: rounded(gflopsOf(gemm)),
  sides: sides.map(([side, timing]) => ({
    side,
    imagesPerSecond: rounded(images / timing.median),
    shareOfGemm: rounded(relativeRate({ timing, flops }, gemm)),
  })),
  best: ours[0],
  ...torch.compared(ours[1], times),
};
console.log(JSON.stringify(result, null, 1));
await saveResult(`image-encoding-${width}-${patchSize}`, {
  machine: machine(),
  threads,
  width,
  patchSize,
  ...result,
  seconds: times,
});
