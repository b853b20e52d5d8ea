/**
 * What a GPU does: proofs against the CPU, the speed of matrix products, training steps and image encoding, beside PyTorch.
 * `node bench/gpu.ts [--device cuda,webgpu] [--minutes 9] [--again] [--quick] [--out FILE]`
 *
 * For a machine with nothing but what docs/gpu.md says: models are made here. Each measurement is a process of its own, and its result is
 * in the file when it ends. Run it again to do what is left, or `--again` to do all. `--quick` takes tiny models, on any device.
 */

import { execFile } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { writeJsonFile } from '../src/files/index.ts';
import { type Device, devicePrecisions, devices } from '../src/onnx/index.ts';
import { nvidiaGpus, runtime, version, vulkanGpus } from '../src/runtime/index.ts';
import type { Task } from './gpu/measure.ts';
import type { ModelName } from './gpu/random-clip.ts';
import { machine } from './results.ts';

const { values: options } = parseArgs({
  options: {
    device: { type: 'string', default: 'cuda,webgpu' },
    minutes: { type: 'string', default: '9' },
    quick: { type: 'boolean', default: false },
    again: { type: 'boolean', default: false },
    out: { type: 'string', default: join(import.meta.dirname, 'results/gpu.json') },
    positions: { type: 'string' },
  },
});

/** The method's training (Gu et al., 2024): on eight GPUs, 48 minutes for ViT-G. */
const [wholeSteps, wholeBatch] = [20_000, 512];
const isSmall = options.quick;
const models: readonly ModelName[] = isSmall ? ['giga', 'base'] : ['giga', 'base', 'large'];
const encoders = models.filter((model) => model !== 'giga');
const batch = isSmall ? 16 : wholeBatch;
const picturesPerRun = isSmall ? 2 : 64;
const seconds = isSmall ? 0 : 8;
const patience = 120_000;

type Outcome = Readonly<Record<string, unknown>>;
interface Report {
  readonly date: string;
  readonly machine: object;
  readonly results: Record<string, Outcome>;
}

const scratch = join(tmpdir(), 'lincir-bench-gpu');
await mkdir(scratch, { recursive: true });
const report: Report = await readFile(options.out, 'utf8').then(
  (text) => JSON.parse(text),
  () => ({
    date: new Date().toISOString().slice(0, 10),
    machine: { ...machine(), onnxRuntime: version, nvidia: nvidiaGpus(), vulkan: vulkanGpus() },
    results: {},
  }),
);

const end = performance.now() + Number(options.minutes) * 60_000;
const offered = runtime.devices();
for (const device of devices.filter(
  (one) => options.device.split(',').includes(one) && offered.includes(one),
)) {
  for (const [name, task] of plan(device)) {
    const isDone = report.results[name] && !('error' in report.results[name]);
    if (isDone && !options.again) continue;
    const first = report.results[`proof, mini, ${device}, ${task.precision}`];
    if (task.kind !== 'torch images' && first && 'error' in first) continue; // nothing works there
    const left = end - performance.now();
    if (left < 0) {
      console.log(`${name}: no time is left; run this again`);
      continue;
    }
    const begin = performance.now();
    report.results[name] = await outcome(task, Math.round(Math.min(patience, left + 30_000)));
    console.log(
      `${name} (${Math.round((performance.now() - begin) / 1000)} s): ${JSON.stringify(report.results[name])}`,
    );
    await writeJsonFile(options.out, { ...report, summary: summary() });
  }
}
console.log(JSON.stringify(summary(), null, 2));

/** What matters most comes first, because the time may not suffice. */
function plan(device: Device): [name: string, task: Task][] {
  const precisions = devicePrecisions(device).filter((one) => one !== 'int8');
  const fast = precisions.includes('float16') ? 'float16' : 'float32';
  // The exact one first: where it fails, there is nothing to measure.
  const byWorth = [...new Set(['float32', fast, ...precisions] as const)];
  const where = { device, scratch, isSmall, seconds };
  const positions = options.positions ? { positionsPerRun: Number(options.positions) } : {};
  const training = (precision: (typeof byWorth)[number]): Task[] =>
    models.flatMap((model) =>
      (['first', 'later'] as const).map((epoch) => {
        return { ...where, ...positions, kind: 'training', model, epoch, precision, batch } as const;
      }),
    );
  const images = { ...where, batch: picturesPerRun } as const;
  const encoded = encoders.flatMap((model): Task[] => [
    ...byWorth.map((precision) => ({ ...images, kind: 'images', model, precision }) as const),
    ...(device === 'webgpu'
      ? []
      : [{ ...images, kind: 'torch images', model, precision: 'bfloat16' } as const]),
  ]);
  return [
    ...byWorth.map((precision) => ({ ...where, kind: 'proof', model: 'mini', precision }) as const),
    ...byWorth.map((precision) => ({ ...where, kind: 'products', precision }) as const),
    ...training(fast),
    ...encoded,
    ...encoders
      .slice(-1)
      .flatMap((model) =>
        byWorth.map((precision) => ({ ...where, kind: 'proof', model, precision }) as const),
      ),
    ...byWorth.filter((one) => one !== fast).flatMap(training),
    { ...where, kind: 'proof', model: 'giga', precision: fast } as const,
  ].map((task) => [nameOf(task), task]);
}

function nameOf(task: Task): string {
  const parts = [task.kind, 'model' in task && task.model, 'epoch' in task && `${task.epoch} epoch`];
  return [...parts, task.device, task.precision].filter(Boolean).join(', ');
}

/** What a measurement says, or why there is none. */
async function outcome(task: Task, timeout: number): Promise<Outcome> {
  const program = join(import.meta.dirname, 'gpu/measure.ts');
  try {
    const run = promisify(execFile)(process.execPath, [program, JSON.stringify(task)], {
      timeout,
      killSignal: 'SIGKILL',
    });
    const { stdout } = await run;
    return JSON.parse(stdout.trim().split('\n').at(-1)!);
  } catch (error) {
    const { killed, code } = error as { readonly killed?: boolean; readonly code?: unknown };
    const found = killed ? `took more than ${Math.round(timeout / 1000)} seconds` : `ended with ${code}`;
    return { error: `its process ${found}` };
  }
}

/** Shares of the speed of matrix products, PyTorch's ratio, and how long the method's training would take. */
function summary(): Record<string, object> {
  const number = (name: string, key: string) => Number(report.results[name]?.[key]);
  const lines: Record<string, object> = {};
  for (const name of Object.keys(report.results)) {
    const [kind, ...parts] = name.split(', ');
    const [device, precision] = parts.slice(-2);
    const share = number(name, 'gflops') / number(`products, ${device}, ${precision}`, 'gflops');
    if (kind === 'training' && share > 0) {
      const minutes = (wholeSteps * number(name, 'secondsPerStep') * wholeBatch) / batch / 60;
      lines[name] = { stepsPerSecond: number(name, 'stepsPerSecond'), share, minutesFor20000Steps: minutes };
    }
    if (kind === 'images' && share > 0) {
      const imagesPerSecond = number(name, 'imagesPerSecond');
      const torch = number(`torch images, ${parts[0]}, ${device}, bfloat16`, 'imagesPerSecond');
      lines[name] = {
        imagesPerSecond,
        share,
        ...(torch > 0 && { timesAsFastAsTorch: imagesPerSecond / torch }),
      };
    }
  }
  return lines;
}
