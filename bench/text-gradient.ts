/**
 * The text tower forward and backward, with respect to injected vectors, against PyTorch on the same rows at equal
 * padding, and against ONNX Runtime's own matrix product: `node bench/text-gradient.ts MODEL [ROUNDS] [--quick]`. PyTorch gets its
 * best settings in float32 and in bfloat16, as they are and compiled (torch.ts): those that are the fastest for the first
 * shape; with `--quick`, float32 alone. A causal tower's texts begin with the start of text, which lincir computes once, as in
 * training. Each shape is saved when done.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  computePrefix,
  openTowers,
  parametersOf,
  prefixInputs,
  type TextConfig,
  textInputs,
  textTower,
} from '../src/clip/index.ts';
import { folderFiles, writeSafetensors } from '../src/files/index.ts';
import {
  gradients,
  input,
  mul,
  productFlops,
  type RunTensor,
  reduceSum,
  Session,
} from '../src/onnx/index.ts';

import { gemmPeak } from './gemm-peak.ts';
import { machine, rounded, saveResult } from './results.ts';
import { Torch } from './torch.ts';
import { gflopsOf, relativeRate, takeTurns, timed } from './turns.ts';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: 'boolean', default: false } },
});
const [folder, rounds = '5'] = positionals;
if (folder === undefined) throw new Error('usage: node bench/text-gradient.ts MODEL [ROUNDS] [--quick]');
const threads = 2;
/** No vocabulary's word has a smaller id. Those before it may be padding or an end of text. */
const firstWord = 4;

const { family, config: towers, checkpoint } = await openTowers(folderFiles(folder));
const config = towers.text!;
const { tensors } = checkpoint;
/** Rows and positions of one pass: the middle of the caption sets, and CLIP's longest; or all that a tower always takes. */
const workloads =
  config.attention === 'everywhere'
    ? [{ rows: 8, positions: config.positions }]
    : [
        { rows: 64, positions: 16 },
        { rows: 32, positions: 40 },
        { rows: 16, positions: 77 },
      ];
const inputs = textInputs(config);
const cotangent = input('cotangent', 'float32', ['batch', config.projection]);
const embeddings = textTower(inputs, config, parametersOf(tensors), prefixInputs(config));
const loss = reduceSum(mul(embeddings, cotangent), [0, 1]);
const [gradient] = gradients(loss, [inputs.injected]);
const startOfText = config.vocabulary - 2; // in CLIP's vocabulary
const prefix = await computePrefix({ config, tensors }, [startOfText], { threads });

const results: object[] = [];
let first: Torch | undefined;
for (const workload of workloads) {
  results.push(await measure(workload));
  const name = family === 'CLIP' ? '' : `${family.toLowerCase().replaceAll(' ', '-')}-`;
  await saveResult(`text-gradient-${name}${config.width}`, {
    machine: machine(),
    threads,
    width: config.width,
    layers: config.layers,
    results,
  });
}

async function measure({ rows, positions }: { rows: number; positions: number }) {
  const whole = makeFeeds(rows, positions, 0, config);
  const skipped = prefix.ids.length;
  const { ids, ends, placements } = makeFeeds(rows, positions, skipped, config);
  const { injected, cotangent } = whole;
  const feeds = { ids, ends, placements, injected, cotangent, ...prefix.feeds };
  const scratch = await mkdtemp(join(tmpdir(), 'lincir-bench-'));
  const idsFile = join(scratch, 'ids.safetensors');
  await writeSafetensors(idsFile, [
    { name: 'ids', type: 'int64', ...whole.ids },
    { name: 'placeholder_positions', type: 'int64', ...whole.placements },
    { name: 'injected', type: 'float32', ...whole.injected },
    { name: 'cotangent', type: 'float32', ...whole.cotangent },
  ]);
  const session = await Session.create({ gradient: gradient! }, { threads });
  const peak = await gemmPeak(
    { rows: rows * positions, width: config.width, wide: config.feedForward },
    { threads },
  );
  const settings = ['--model', folder!, '--ids', idsFile, '--threads', `${threads}`];
  const torch = await Torch.start('text_gradient.py', [...settings, '--micro-batch', `${rows}`], {
    like: first,
    ...(options.quick && { settings: { sdpa: [] }, isQuick: true }),
  });
  first ??= torch;
  const times = await takeTurns<string>(
    { lincir: () => timed(() => session.run(feeds)), peak: peak.side, ...torch.sides },
    Number(rounds),
  );
  await Promise.all([session.dispose(), peak.dispose(), torch.stop()]);
  await rm(scratch, { recursive: true });

  const flops = productFlops([gradient!], {
    batch: rows,
    positions: positions - skipped,
    placements: rows,
    prefix: skipped,
  });
  const ours = { timing: times.lincir!, flops };
  const gemm = { timing: times.peak!, flops: peak.flops };
  const result = {
    rows,
    positions,
    milliseconds: rounded(times.lincir!.median * 1000),
    captionsPerSecond: rounded(rows / times.lincir!.median),
    gflops: rounded(gflopsOf(ours)),
    gemmGflops: rounded(gflopsOf(gemm)),
    shareOfGemm: rounded(relativeRate(ours, gemm)),
    ...torch.compared(times.lincir!, times),
    seconds: times,
  };
  console.log(JSON.stringify({ ...result, seconds: undefined }, null, 1));
  return result;
}

/** What a pass takes of rows without their first `skipped` positions. */
function makeFeeds(
  rows: number,
  positions: number,
  skipped: number,
  { width, vocabulary, projection, endOfText }: TextConfig,
) {
  const noise = (count: number): Float32Array =>
    Float32Array.from({ length: count }, () => Math.random() - 0.5);
  const integers = (shape: readonly number[], at: (index: number) => number) => ({
    shape,
    data: BigInt64Array.from({ length: shape.reduce((a, b) => a * b) }, (_, index) => BigInt(at(index))),
  });
  // The largest id ends a text, if the config names no other.
  const id = (row: number, position: number): number => {
    if (position === 0) return startOfText;
    if (position === positions - 1) return typeof endOfText === 'number' ? endOfText : vocabulary - 1;
    return firstWord + (((row * positions + position) * 7919) % (vocabulary - 2 - firstWord));
  };
  const left = positions - skipped;
  return {
    ids: integers([rows, left], (index) => id(Math.floor(index / left), skipped + (index % left))),
    ends: integers([rows, 2], (index) => (index % 2 === 0 ? index / 2 : left - 1)),
    placements: integers([rows, 2], (index) => (index % 2 === 0 ? index / 2 : 3 - skipped)),
    injected: { shape: [rows, width], data: noise(rows * width) },
    cotangent: { shape: [rows, projection], data: noise(rows * projection) },
  } satisfies Record<string, RunTensor>;
}
