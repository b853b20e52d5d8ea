/**
 * Indexing against the encoder alone, on photos repeated to many files: `node bench/indexing.ts MODEL PHOTOS [FILES] [ROUNDS]`;
 * and the memory that it takes, for as many files and for ten times as many: `node bench/indexing.ts --memory MODEL PHOTOS [FILES]`.
 */

import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { promisify } from 'node:util';
import { loadClip } from '../src/clip/index.ts';
import { openIndex, type UpdateSummary } from '../src/indexing/index.ts';
import { machine, rounded, saveResult } from './results.ts';
import { speedup, takeTurns, timed } from './turns.ts';

const measuresMemory = process.argv[2] === '--memory';
const [model, photos, files = '2000', rounds = '3'] = process.argv.slice(measuresMemory ? 3 : 2);
if (model === undefined || photos === undefined) throw new Error('usage: see the first lines of this file');
const threads = 2;
const folder = await mkdtemp(join(tmpdir(), 'lincir-indexing-'));

/** A folder of so many files, copies of the photos in turn. */
async function repeated(count: number): Promise<string> {
  const names = (await readdir(photos!)).sort();
  const target = join(folder, `photos-${count}`);
  await mkdir(target, { recursive: true });
  for (let at = 0; at < count; at += 1) {
    const name = names[at % names.length]!;
    await cp(join(photos!, name), join(target, `${at}${extname(name)}`));
  }
  return target;
}

/** Everything that `lincir index` does for a new index: seconds, and what came of it. */
async function indexAll(source: string) {
  const uri = join(folder, 'index.lance');
  await rm(uri, { recursive: true, force: true });
  const clip = await loadClip(model!, { threads });
  await clip.encodePixels(new Float32Array(pixelsOf(clip))); // The model is loaded with its first image.
  const index = await openIndex(uri, { access: 'write', clip });
  let summary: UpdateSummary | undefined;
  const seconds = await timed(async () => {
    for await (const event of index.add(clip, { images: [source] })) {
      if (event.kind === 'end') summary = event.summary;
    }
  });
  await index.close();
  await clip.dispose();
  return { seconds, summary: summary! };
}

function pixelsOf({ visionConfig: { imageSize } }: Awaited<ReturnType<typeof loadClip>>): number {
  return 3 * imageSize ** 2;
}

/** The vision tower alone on prepared pixels, as many at a time as it takes best. */
async function encoderAlone(count: number): Promise<() => Promise<number>> {
  const clip = await loadClip(model!, { threads });
  const perRun = clip.picturesPerRun;
  const pixels = Float32Array.from({ length: perRun * pixelsOf(clip) }, () => Math.random() - 0.5);
  return () =>
    timed(async () => {
      for (let done = 0; done < count; done += perRun) await clip.encodePixels(pixels);
    });
}

if (process.argv.includes('--child')) {
  await indexAll(photos);
  const status = await readFile('/proc/self/status', 'utf8');
  console.log(/VmHWM:\s+(\d+)/.exec(status)![1]);
} else if (measuresMemory) {
  const peaks: Record<string, number> = {};
  for (const count of [Number(files), 10 * Number(files)]) {
    const args = [import.meta.filename, '--memory', model, await repeated(count), '--child'];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    peaks[`${count} files`] = Math.round(Number(stdout) / 1024);
    console.log(`${count} files: at most ${peaks[`${count} files`]} MiB`);
  }
  await saveResult('indexing-memory', { machine: machine(), peakMiB: peaks });
} else {
  const count = Number(files);
  const source = await repeated(count);
  const summaries: UpdateSummary[] = [];
  const times = await takeTurns(
    {
      encoder: await encoderAlone(count),
      indexing: async () => {
        const { seconds, summary } = await indexAll(source);
        summaries.push(summary);
        return seconds;
      },
    },
    Number(rounds),
    0,
  );
  const perRun = Math.ceil(count);
  const result = {
    files: count,
    encoderPicturesPerSecond: rounded(perRun / times.encoder.median),
    picturesPerSecond: rounded(count / times.indexing.median),
    partOfEncoder: rounded(speedup(times.indexing, times.encoder)),
  };
  console.log(JSON.stringify(result, null, 1));
  await saveResult('indexing', { machine: machine(), threads, ...result, seconds: times, summaries });
}
await rm(folder, { recursive: true });
