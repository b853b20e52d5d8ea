/**
 * What loading a checkpoint costs: seconds and peak memory until a first text and image are embedded, each model in
 * a process of its own: `node bench/loading.ts MODEL…`.
 */

import { execFile } from 'node:child_process';
import { basename } from 'node:path';
import { promisify } from 'node:util';
import { loadClip, openTowers } from '../src/clip/index.ts';
import { elementCount } from '../src/core/index.ts';
import { folderFiles } from '../src/files/index.ts';
import { machine, rounded, saveResult } from './results.ts';

const [first, ...others] = process.argv.slice(2);
if (first === '--measure') {
  console.log(JSON.stringify(await measure(others[0]!)));
} else if (first === undefined) {
  throw new Error('usage: node bench/loading.ts MODEL…');
} else {
  const results = [];
  for (const folder of [first, ...others]) {
    const { stdout } = await promisify(execFile)(process.execPath, [
      import.meta.filename,
      '--measure',
      folder,
    ]);
    const result = { model: basename(folder), ...JSON.parse(stdout) };
    console.log(JSON.stringify(result));
    results.push(result);
  }
  await saveResult('loading', { machine: machine(), results });
}

async function measure(folder: string) {
  const { checkpoint } = await openTowers(folderFiles(folder));
  const float32MiB =
    [...checkpoint.tensors.values()].reduce((sum, { shape }) => sum + 4 * elementCount(shape), 0) / 2 ** 20;
  const emptyMiB = peakMiB();
  const start = performance.now();
  const clip = await loadClip(folder, { threads: 2 });
  const { imageSize } = clip.config.vision ?? {};
  if (clip.config.text) await clip.encodeTexts(['a photo of a red boat']);
  const pixels = imageSize && {
    data: new Uint8Array(3 * imageSize ** 2),
    width: imageSize,
    height: imageSize,
  };
  if (pixels) await clip.encodeImages([pixels]);
  const seconds = (performance.now() - start) / 1000;
  const loadedMiB = peakMiB() - emptyMiB;
  await clip.dispose();
  return {
    float32MiB: rounded(float32MiB),
    emptyProcessMiB: rounded(emptyMiB),
    loadedMiB: rounded(loadedMiB),
    timesFloat32Size: rounded(loadedMiB / float32MiB),
    seconds: rounded(seconds),
  };
}

/** The most memory this process has held in RAM so far. */
function peakMiB(): number {
  return process.resourceUsage().maxRSS / 2 ** 10;
}
