/** One measurement of bench/gpu.ts in a process of its own: `node bench/gpu/measure.ts TASK`, with the task and the answer in JSON. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { productSpeed, proveDevice } from '../../src/check/index.ts';
import { loadClip, parametersOf, visionInput, visionTower } from '../../src/clip/index.ts';
import { normals } from '../../src/core/index.ts';
import { madeMiniCaptions } from '../../src/mini/index.ts';
import { type Device, type Precision, productFlops, Session } from '../../src/onnx/index.ts';
import { positionsFor, trainPhi } from '../../src/training/index.ts';
import { median, Peer, timed } from '../turns.ts';
import { type ModelName, randomClip } from './random-clip.ts';

interface Where {
  readonly device: Device;
  readonly precision: Exclude<Precision, 'int8'>;
  /** Where models and runs are written. */
  readonly scratch: string;
  readonly isSmall: boolean;
  /** Seconds to measure for, after warming up. */
  readonly seconds: number;
}

export type Task = Where &
  (
    | { readonly kind: 'proof'; readonly model: ModelName | 'mini' }
    | { readonly kind: 'products' }
    | {
        readonly kind: 'training';
        readonly model: ModelName;
        /** In the first epoch, the captions' own embeddings are still to be made. */
        readonly epoch: 'first' | 'later';
        readonly batch: number;
        readonly positionsPerRun?: number;
      }
    | { readonly kind: 'images'; readonly model: ModelName; readonly batch: number }
    | { readonly kind: 'torch images'; readonly model: ModelName; readonly batch: number }
  );

/** Runs that warm up, and runs that at least are measured. */
const [uncounted, fewest] = [2, 2];

const task: Task = JSON.parse(process.argv[2]!);
const failed = (error: unknown) => ({ error: error instanceof Error ? error.message : String(error) });
console.log(JSON.stringify(await measured(task).catch(failed)));

function measured(task: Task): Promise<object> {
  switch (task.kind) {
    case 'proof':
      return proof(task, task.model);
    case 'products':
      return productSpeed(task);
    case 'training':
      return training(task);
    case 'images':
      return images(task);
    case 'torch images':
      return torchImages(task);
  }
}

async function proof({ device, precision, ...where }: Task, model: ModelName | 'mini') {
  // The CPU needs a minute for giga's vision tower.
  const withVision = model !== 'giga';
  const folder = model === 'mini' ? model : await randomClip(where.scratch, model, { ...where, withVision });
  const proofs = await proveDevice({ device, precision, model: folder });
  return { isRight: proofs.every(({ error, bound }) => error <= bound), proofs };
}

/** Whole steps of `lincir train`. */
async function training(task: Task & { kind: 'training' }) {
  const { model, epoch, batch, device, precision, seconds, scratch, isSmall } = task;
  const folder = await randomClip(scratch, model, { isSmall, withVision: model !== 'giga' });
  const { text } = (await loadClip(folder)).config;
  const positionsPerRun = task.positionsPerRun ?? positionsFor(text!, { device, precision });
  const out = await mkdtemp(join(scratch, 'run-'));
  // Without a cache, every epoch is like the first. With one, all embeddings are known after the two steps of the first.
  const captions = join(out, 'captions.txt');
  const count = (epoch === 'first' ? 16 : 2) * batch;
  await writeFile(captions, (await Array.fromAsync(take(madeMiniCaptions.captions(), count))).join('\n'));
  const events = trainPhi({
    ...{ model: folder, captions: [captions], out: join(out, 'run'), seed: 1, batch, saveEvery: 1_000_000 },
    ...{ device, precision, positionsPerRun, ...(epoch === 'first' && { embeddingCache: 0 }) },
  });
  const [stepSeconds, gflops]: [number[], number[]] = [[], []];
  const skipped = uncounted + (epoch === 'first' ? 0 : 2);
  let steps = 0;
  let begin = performance.now();
  for await (const event of events) {
    if (event.kind !== 'step') continue;
    steps += 1;
    const now = performance.now();
    if (steps > skipped) {
      stepSeconds.push((now - begin) / 1000);
      gflops.push(event.gflopsPerSecond);
    }
    if (stepSeconds.length >= fewest && sum(stepSeconds) > seconds) break;
    begin = now;
  }
  await rm(out, { recursive: true });
  const secondsPerStep = median(stepSeconds);
  return {
    ...{ secondsPerStep, stepsPerSecond: 1 / secondsPerStep, captionsPerSecond: batch / secondsPerStep },
    ...{ gflops: median(gflops), positionsPerRun, steps: stepSeconds.length },
  };
}

/** The vision tower alone, on ready pixels. */
async function images({
  model,
  batch,
  device,
  precision,
  seconds,
  scratch,
  isSmall,
}: Task & { kind: 'images' }) {
  const clip = await loadClip(await randomClip(scratch, model, { isSmall }));
  const config = clip.visionConfig;
  const embeddings = visionTower(visionInput(config), config, parametersOf(clip.checkpoint.tensors));
  const session = await Session.create({ embeddings }, { device, precision });
  const shape = [batch, config.channels, config.imageSize, config.imageSize];
  const stream = { seed: 0, purpose: 'noise', moment: 0, row: 0 } as const;
  const pixels = {
    shape,
    data: normals(
      stream,
      shape.reduce((a, b) => a * b),
    ),
  };
  const runSeconds = await repeated(() => timed(() => session.run({ pixels })), seconds);
  await session.dispose();
  const flops = productFlops([embeddings], { batch });
  return { imagesPerSecond: batch / runSeconds, gflops: flops / runSeconds / 1e9 };
}

/** PyTorch's fastest of what a user would pick: bfloat16, compiled or not. */
async function torchImages(task: Task & { kind: 'torch images' }) {
  const { model, batch, device, seconds, scratch, isSmall } = task;
  const folder = await randomClip(scratch, model, { isSmall });
  const options = ['--model', folder, '--batch', `${batch}`, '--precision', 'bfloat16', '--device', device];
  const sides: Record<string, number> = {};
  let torch = '';
  const compiled = isSmall ? {} : { 'bfloat16, compiled': ['--compile'] }; // compiling takes minutes on a CPU
  for (const [name, more] of Object.entries({ bfloat16: [], ...compiled })) {
    const peer = await Peer.start('image_encoding.py', [...options, ...more]);
    const run = async () => {
      const answer = await peer.run();
      torch = answer.torch;
      return answer.seconds;
    };
    sides[name] = batch / (await repeated(run, seconds));
    await peer.stop();
  }
  return { torch, imagesPerSecond: Math.max(...Object.values(sides)), sides };
}

/** The median seconds of runs. */
async function repeated(run: () => Promise<number>, seconds: number): Promise<number> {
  for (let warm = 0; warm < uncounted; warm += 1) await run();
  const times: number[] = [];
  while (times.length < fewest || sum(times) < seconds) times.push(await run());
  return median(times);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

async function* take<Item>(items: AsyncIterable<Item>, count: number): AsyncGenerator<Item, void, void> {
  let left = count;
  for await (const item of items) {
    if (left === 0) return;
    left -= 1;
    yield item;
  }
}
