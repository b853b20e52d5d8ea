/**
 * The vision tower forward, in float32 and int8, against PyTorch on the same number of images, and against ONNX Runtime's own matrix
 * product: `node bench/image-encoding.ts MODEL [ROUNDS]`. PyTorch gets its best settings in
 * float32 and in bfloat16, as they are and compiled (torch.ts).
 */

import { loadClip, parametersOf, readClipConfig, visionInput, visionTower } from '../src/clip/index.ts';
import { openCheckpoint } from '../src/core/index.ts';
import { folderFiles, readJsonFile } from '../src/files/index.ts';
import { productFlops, Session } from '../src/onnx/index.ts';
import { gemmPeak } from './gemm-peak.ts';
import { machine, rounded, saveResult } from './results.ts';
import { Torch } from './torch.ts';
import { gflopsOf, relativeRate, speedup, takeTurns, timed } from './turns.ts';

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
const rounding = performance.now();
const int8 = await loadClip(folder, { threads, precision: 'int8' });
const exactProducts = await int8.exactProducts();
const preparation = (performance.now() - rounding) / 1000;
const area = channels * imageSize ** 2;

type Run = (pixels: Float32Array, batch: number) => Promise<unknown>;
const inFloat32: Run = (pixels, batch) =>
  session.run({ pixels: { shape: [batch, channels, imageSize, imageSize], data: pixels } });
const inInt8: Run = (pixels) => int8.encodePixels(pixels);

/** All images, `batch` at a time. */
const encode = (run: Run, batch: number) => {
  const pixels = Float32Array.from({ length: batch * area }, () => Math.random() - 0.5);
  return () =>
    timed(async () => {
      for (let done = 0; done < images; done += batch) await run(pixels, batch);
    });
};

const options = ['--model', folder, '--batch', `${images}`, '--threads', `${threads}`];
const torch = await Torch.start('image_encoding.py', options, {
  settings: { sdpa: [], eager: ['--attention', 'eager'], 'channels-last': ['--channels-last'] },
});
const peak = await gemmPeak({ rows: 1024, width, wide: feedForward }, { threads });
const times = await takeTurns<string>(
  {
    'lincir, 1 a run': encode(inFloat32, 1),
    'lincir, 4 a run': encode(inFloat32, 4),
    'lincir, 16 a run': encode(inFloat32, 16),
    'int8, 1 a run': encode(inInt8, 1),
    'int8, 4 a run': encode(inInt8, 4),
    'int8, 16 a run': encode(inInt8, 16),
    peak: peak.side,
    ...torch.sides,
  },
  Number(rounds),
);
await Promise.all([session.dispose(), int8.dispose(), peak.dispose(), torch.stop()]);

const flops = images * productFlops([embeddings], { batch: 1 });
const gemm = { timing: times.peak!, flops: peak.flops };
const sides = Object.entries(times).filter(([name]) => name !== 'peak');
const fastest = (prefix: string) =>
  sides.filter(([name]) => name.startsWith(prefix)).toSorted(([, a], [, b]) => a.median - b.median)[0]!;
const [ours, oursInt8] = [fastest('lincir'), fastest('int8')];
const result = {
  gemmGflops: rounded(gflopsOf(gemm)),
  sides: sides.map(([side, timing]) => ({
    side,
    imagesPerSecond: rounded(images / timing.median),
    shareOfGemm: rounded(relativeRate({ timing, flops }, gemm)),
  })),
  best: ours[0],
  ...torch.compared(ours[1], times),
  int8: {
    best: oursInt8[0],
    timesAsFastAsFloat32: rounded(speedup(oursInt8[1], ours[1])),
    preparationSeconds: rounded(preparation),
    exactProducts,
    ...torch.compared(oursInt8[1], times),
  },
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
