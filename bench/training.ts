/**
 * Whole training steps, as `lincir train` does them, against a straightforward PyTorch loop that pads captions to 77
 * positions, and against ONNX Runtime's own matrix product: `node bench/training.ts MODEL CAPTIONS [ROUNDS]`. PyTorch gets
 * its best settings in float32 and in bfloat16, as they are and compiled (torch.ts).
 */

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, extname, join } from 'node:path';
import { CaptionBatches, CaptionCopy, findCaptionSources } from '../src/captions/index.ts';
import { loadClip } from '../src/clip/index.ts';
import { writeSafetensors } from '../src/files/index.ts';
import { trainPhi } from '../src/training/index.ts';
import { gemmPeak } from './gemm-peak.ts';
import { machine, rounded, saveResult } from './results.ts';
import { Torch } from './torch.ts';
import { median, takeTurns } from './turns.ts';

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

const few = join(scratch, `few${extname(captions)}`);
await writeFile(
  few,
  (await readFile(captions, 'utf8'))
    .split('\n')
    .slice(0, 2 * batch)
    .join('\n'),
);

const peak = await gemmPeak({ rows: 1024, width, wide: feedForward }, { threads });
const options = [
  ...['--model', folder, '--captions', tokens, '--threads', `${threads}`],
  ...['--micro-batch', '32'], // the fastest of 32, 64 and 128 here
];
const torch = await Torch.start('training.py', options, { screening: [...options, '--batch', '32'] });
const sides = {
  /** As in the first epoch: the embeddings of all captions are still to be made. */
  first: trainingSide('first', { captions: [captions], embeddingCache: 0 }),
  /** As in all later epochs, where these are known. */
  later: trainingSide('later', { captions: [few] }),
};
await sides.first.side();
for (let step = 0; step < 2; step += 1) await sides.later.side(); // two steps are its first epoch
const times = await takeTurns<string>(
  {
    first: sides.first.side,
    later: sides.later.side,
    peak: peak.side,
    ...torch.sides,
  },
  Number(rounds),
  0,
);
await torch.stop();
await peak.dispose();
await clip.dispose();
for (const { end } of Object.values(sides)) await end();
await rm(scratch, { recursive: true });

const name = basename(captions, extname(captions));
const result = {
  captions: name,
  batch,
  epoch: { first: summary('first'), later: summary('later') },
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

/** A run of `lincir train`, a step at a time. */
function trainingSide(name: string, settings: { captions: string[]; embeddingCache?: number }) {
  const events = trainPhi({
    ...{ model: folder!, out: join(scratch, name), seed: 1, threads, batch, saveEvery: 1_000_000 },
    ...settings,
  });
  const gflops: number[] = [];
  const side = async (): Promise<number> => {
    const begin = performance.now();
    for (;;) {
      const { value } = await events.next();
      if (value?.kind !== 'step') continue;
      gflops.push(value.gflopsPerSecond);
      return (performance.now() - begin) / 1000;
    }
  };
  return { side, gflops, end: () => events.return() };
}

function summary(name: 'first' | 'later') {
  const gflops = sides[name].gflops.slice(-times[name]!.seconds.length);
  const shares = times.peak!.seconds.map((seconds, round) => gflops[round]! / (peak.flops / seconds / 1e9));
  return {
    secondsPerStep: rounded(times[name]!.median),
    captionsPerSecond: rounded(batch / times[name]!.median),
    gflops: rounded(median(gflops)),
    shareOfGemm: rounded(median(shares)),
    ...torch.compared(times[name]!, times),
  };
}

/** What the peer trains on: the same captions in the same order, tokenized, masked, and padded to all positions. */
async function writeTokens(file: string): Promise<void> {
  const store = join(scratch, 'captions');
  await (await CaptionCopy.build(store, await findCaptionSources([captions!]), {})).close();
  const options = { copyFolder: store, modelFolder: clip.folder, masking: 'spans', seed: 1 } as const;
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
