/**
 * Whole training steps, as `lincir train` does them, against a straightforward PyTorch loop that pads captions to 77
 * positions, and against ONNX Runtime's own matrix product: `node bench/training.ts MODEL CAPTIONS [ROUNDS]`.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, extname, join } from 'node:path';
import { CaptionBatches, CaptionStore, findCaptionSources } from '../src/captions/index.ts';
import { loadClip } from '../src/clip/index.ts';
import { writeSafetensors } from '../src/core/index.ts';
import { type StepMetrics, trainPhi } from '../src/lincir/index.ts';
import { gemmPeak } from './gemm-peak.ts';
import { machine, rounded, saveResult } from './results.ts';
import { median, Peer, speedup, takeTurns } from './turns.ts';

const [folder, captions, rounds = '3'] = process.argv.slice(2);
if (folder === undefined || captions === undefined) {
  throw new Error('usage: node bench/training.ts MODEL CAPTIONS [ROUNDS]');
}
const threads = 2;
const batch = 512;

const clip = await loadClip(folder);
const { width, feedForward, layers } = clip.textConfig;
const scratch = await mkdtemp(join(tmpdir(), 'lincir-bench-'));
const tokens = join(scratch, 'tokens.safetensors');
await writeTokens(tokens);

const peak = await gemmPeak({ rows: 1024, width, wide: feedForward }, { threads });
const peer = await Peer.start('training.py', [
  '--model',
  folder,
  '--captions',
  tokens,
  '--threads',
  `${threads}`,
]);
const events = trainPhi({
  ...{ model: folder, captions: [captions], out: join(scratch, 'run'), seed: 1, threads, batch },
  saveEvery: 1_000_000,
});
const gflops: number[] = [];
const times = await takeTurns(
  {
    lincir: async () => {
      const begin = performance.now();
      gflops.push((await nextStep()).gflopsPerSecond);
      return (performance.now() - begin) / 1000;
    },
    peak: peak.side,
    torch: async () => (await peer.run()).seconds,
  },
  Number(rounds),
);
const { torch } = await peer.run();
await peer.stop();
await peak.dispose();
await clip.dispose();
await events.return();
await rm(scratch, { recursive: true });

const shares = times.peak.seconds.map((seconds, round) => gflops[round + 1]! / (peak.flops / seconds / 1e9));
const name = basename(captions, extname(captions));
const result = {
  captions: name,
  batch,
  secondsPerStep: rounded(times.lincir.median),
  captionsPerSecond: rounded(batch / times.lincir.median),
  torchCaptionsPerSecond: rounded(batch / times.torch.median),
  timesAsFastAsTorch: rounded(speedup(times.lincir, times.torch)),
  gflops: rounded(median(gflops.slice(1))),
  shareOfGemm: rounded(median(shares)),
  torch,
};
console.log(JSON.stringify(result));
await saveResult(`training-${width}-${name}`, {
  machine: machine(),
  threads,
  width,
  layers,
  ...result,
  seconds: times,
});

async function nextStep(): Promise<StepMetrics> {
  for (;;) {
    const { value } = await events.next();
    if (value?.kind === 'step') return value;
  }
}

/** What the peer trains on: the same captions in the same order, tokenized, masked, and padded to all positions. */
async function writeTokens(file: string): Promise<void> {
  const store = join(scratch, 'captions');
  await (await CaptionStore.build(store, await findCaptionSources([captions!]), {})).close();
  const options = { storeFolder: store, modelFolder: clip.folder, masking: 'spans', seed: 1 } as const;
  const batches = new CaptionBatches(options);
  const count = 4 * batch;
  const { prepared } = await batches.take({ first: 0, count });
  await batches.close();
  const { maximum, endOfText } = clip.tokenizer;
  const padded = (rows: readonly (readonly number[])[]): BigInt64Array => {
    const ids = new BigInt64Array(count * maximum).fill(BigInt(endOfText));
    for (const [row, values] of rows.entries()) ids.set(values.map(BigInt), row * maximum);
    return ids;
  };
  const shape = [count, maximum];
  await writeSafetensors(file, [
    { name: 'ids', type: 'int64', shape, data: padded(prepared.map(({ ids }) => ids)) },
    { name: 'masked', type: 'int64', shape, data: padded(prepared.map(({ masked }) => masked)) },
  ]);
}
