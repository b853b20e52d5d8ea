/**
 * What a training step costs beside the towers, for ViT-G's phi: `node bench/host-step.ts [ROUNDS]`. The towers' numbers are
 * ready; everything else is what `lincir train` does. phi's own matrix products, alone, are measured in the same rounds.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PreparedCaption } from '../src/captions/index.ts';
import { normals } from '../src/core/index.ts';
import { gemm, input, productFlops, Session, type Value } from '../src/onnx/index.ts';
import {
  adamW,
  clipByNorm,
  initialPhi,
  type PhiShape,
  phiParameterShapes,
  updateAverage,
} from '../src/phi/index.ts';
import { drawPass } from '../src/training/draw-pass.ts';
import { DrawsAhead } from '../src/training/draws.ts';
import { openMetricsLog } from '../src/training/metrics.ts';
import { OptimizerMemory } from '../src/training/optimizer-memory.ts';
import { flatParameters, parameterCount } from '../src/training/parameters.ts';
import { TrainingStep } from '../src/training/step.ts';
import { openTensorboardLog } from '../src/training/tensorboard.ts';
import { machine, rounded, saveResult } from './results.ts';
import { median, type Timing, takeTurns, timed } from './turns.ts';

const rounds = Number(process.argv[2] ?? 7);
const batch = 512;
const shape: PhiShape = { architecture: 'lincir', input: 1280, hidden: 5120, output: 1280 };
const adamWOptions = { learningRate: 1e-4, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 };
const drawn = { ...shape, seed: 1, batch, passes: 1, noise: 1, dropout: 0.5 };
const ready = (count: number): Float32Array =>
  normals({ seed: 1, purpose: 'noise', moment: 0, row: 0 }, count);

const results: object[] = [];
for (const threads of [1, 2, 4, 8, 16].filter((count) => count <= availableParallelism())) {
  results.push(await measured(threads));
  console.log(JSON.stringify(results.at(-1)));
}
await saveResult('host-step', {
  machine: machine(),
  ...{ batch, shape, parameters: parameterCount(shape), results },
});

async function measured(threads: number) {
  const folder = await mkdtemp(join(tmpdir(), 'lincir-bench-'));
  const memory = await OptimizerMemory.create(parameterCount(shape), 5, threads);
  const flat = (initial?: ReturnType<typeof initialPhi>) => flatParameters(shape, initial, memory.array);
  const [parameters, average, gradient] = [flat(initialPhi(shape, 1)), flat(), flat()];
  const moments = { first: flat().values, second: flat().values };
  const draws = new DrawsAhead(drawn);
  const logs = [
    await openMetricsLog(join(folder, 'metrics.jsonl'), 0),
    await openTensorboardLog(folder, (async function* () {})()),
  ];
  const targets = ready(batch * shape.input);
  const found = { errors: ready(batch), gradient: ready(batch * shape.output) };
  const towers = {
    flops: 0,
    embeddings: async () => targets,
    reconstruction: async () => found,
    dispose: async () => {},
  };
  const graphs = await TrainingStep.around(towers, shape, { threads, l2Normalize: false });
  const captions = Array<PreparedCaption>(batch).fill({ ids: [], masked: [], placeholders: [] });
  const products = await productsAlone(threads);
  let step = 0;

  const update = () => {
    adamW(parameters.values, gradient.values, moments, step, adamWOptions);
    updateAverage(average.values, parameters.values, step);
  };
  const whole = async () => {
    step += 1;
    const chance = await draws.take({ step, pass: 0 });
    await graphs.gradient(
      captions,
      await graphs.embeddings([]),
      parameters.tensors,
      chance,
      gradient.tensors,
    );
    const gradientNorm = clipByNorm(gradient.values, undefined);
    update();
    const record = {
      ...({ kind: 'step', step, loss: 1, learningRate: 1e-4, gradientNorm, captionsPerSecond: 1 } as const),
      ...{
        gflopsPerSecond: 1,
        seconds: 1,
        memoryBytes: process.memoryUsage.rss(),
        time: new Date().toISOString(),
      },
    };
    for (const log of logs) await log.append(record);
  };
  /** Processor time of all threads, in seconds, for each round of a step and of the products. */
  const processor = { step: [] as number[], products: [] as number[] };
  const counted = async (name: keyof typeof processor, side: () => Promise<number>) => {
    const begin = process.cpuUsage();
    const seconds = await side();
    const { user, system } = process.cpuUsage(begin);
    processor[name].push((user + system) / 1e6);
    return seconds;
  };
  const parts = {
    step: () => counted('step', () => timed(whole)),
    products: () => counted('products', products.side),
    draws: () => timed(async () => drawPass(drawn, { step, pass: 0 })),
    norm: () => timed(async () => clipByNorm(gradient.values, undefined)),
    update: () => timed(async () => update()),
  };
  const times = await takeTurns(parts, rounds, 2);
  for (const log of logs) await log.close();
  await draws.close();
  await graphs.dispose();
  await products.dispose();
  await memory.close();
  await rm(folder, { recursive: true });
  const milliseconds = (timing: Timing) => rounded(timing.median * 1000);
  return {
    threads,
    millisecondsPerStep: milliseconds(times.step),
    /** Matrix products of phi's forward and backward pass, alone. */
    products: { milliseconds: milliseconds(times.products), gflop: rounded(products.flops / 1e9) },
    millisecondsBeside: rounded(
      1000 * median(times.step.seconds.map((seconds, round) => seconds - times.products.seconds[round]!)),
    ),
    /** The same in processor time of all threads: a machine that is busy otherwise disturbs it less. */
    processorMillisecondsBeside: rounded(
      1000 *
        median(processor.step.map((seconds, round) => seconds - processor.products[round]!).slice(-rounds)),
    ),
    /** Of this, each alone: draws on their own thread, and the passes over parameters. */
    parts: {
      draws: milliseconds(times.draws),
      norm: milliseconds(times.norm),
      adamWAndAverage: milliseconds(times.update),
    },
    seconds: times,
  };
}

/** Every matrix product of phi's forward and backward pass, from inputs that lie ready into arrays that do, too. */
async function productsAlone(threads: number) {
  const { input: from, hidden, output } = shape;
  const weights = [...phiParameterShapes(shape)].filter(([, sizes]) => sizes.length === 2);
  const widths = [from, hidden, hidden, output];
  const w = weights.map(([name, sizes]) => input(name, 'float32', sizes));
  const x = widths.map((width, layer) => input(`x${layer}`, 'float32', [batch, width]));
  const outputs: Record<string, Value> = {};
  for (const [layer, weight] of w.entries()) {
    outputs[`forward${layer}`] = gemm(x[layer]!, weight, { transB: true });
    outputs[`weight${layer}`] = gemm(x[layer + 1]!, x[layer]!, { transA: true });
    if (layer > 0) outputs[`input${layer}`] = gemm(x[layer + 1]!, weight);
  }
  const session = await Session.create(outputs, { threads });
  const values = (sizes: readonly (number | string)[]) => {
    const shape = sizes.map(Number);
    return { shape, data: ready(shape.reduce((product, size) => product * size, 1)) };
  };
  const feeds = Object.fromEntries(
    [...weights.map(([name], index) => [name, values(w[index]!.shape)] as const)].concat(
      x.map((value, layer) => [`x${layer}`, values(value.shape)] as const),
    ),
  );
  const into = Object.fromEntries(
    Object.entries(outputs).map(([name, value]) => [name, values(value.shape)]),
  );
  return {
    side: () => timed(() => session.run(feeds, into)),
    flops: productFlops(Object.values(outputs), {}),
    dispose: () => session.dispose(),
  };
}
