/**
 * Training steps on two processes of one thread against one process of two threads, and the bytes that a step sends to
 * devices: `node bench/devices.ts MODEL CAPTIONS [ROUNDS]`. On a machine of two cores, the ideal ratio is 1.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, extname, join } from 'node:path';
import { CaptionBatches, CaptionCopy, findCaptionSources } from '../src/captions/index.ts';
import { loadClip } from '../src/clip/index.ts';
import { openDevices } from '../src/training/devices/open.ts';
import { DevicePool } from '../src/training/devices/pool.ts';
import { trainPhi } from '../src/training/index.ts';
import { Towers } from '../src/training/towers.ts';
import { machine, rounded, saveResult } from './results.ts';
import { speedup, takeTurns } from './turns.ts';

const [folder, captions, rounds = '3'] = process.argv.slice(2);
if (folder === undefined || captions === undefined) {
  throw new Error('usage: node bench/devices.ts MODEL CAPTIONS [ROUNDS]');
}
const batch = 512;
/** Token positions of a batch: the default, and half of it. */
const [usual, half] = [1024, 512];

const scratch = await mkdtemp(join(tmpdir(), 'lincir-bench-'));
const sides = {
  'one process': side({ threads: 2, positionsPerRun: usual }),
  'two processes': side({ devices: ['cpu:2'], positionsPerRun: usual }),
  'one process, smaller batches': side({ threads: 2, positionsPerRun: half }),
  'two processes, smaller batches': side({ devices: ['cpu:2'], positionsPerRun: half }),
};
const times = await takeTurns(
  Object.fromEntries(Object.entries(sides).map(([name, { step }]) => [name, step])) as Record<
    keyof typeof sides,
    () => Promise<number>
  >,
  Number(rounds),
);
for (const { end } of Object.values(sides)) await end();

const one = times['one process'];
const result = {
  captions: basename(captions, extname(captions)),
  batch,
  secondsPerStep: Object.fromEntries(
    Object.entries(times).map(([name, { median }]) => [name, rounded(median)]),
  ),
  twoAsFastAsOne: {
    [usual]: rounded(speedup(times['two processes'], one)),
    [half]: rounded(speedup(times['two processes, smaller batches'], times['one process, smaller batches'])),
    /** Smaller batches on two processes against the usual ones on one. */
    best: rounded(speedup(times['two processes, smaller batches'], one)),
  },
  bytesPerStep: await traffic(),
};
console.log(JSON.stringify(result));
await saveResult('devices', { machine: machine(), ...result, seconds: times });
await rm(scratch, { recursive: true });

/** A run of `lincir train` that knows no embeddings, a step at a time. */
function side(settings: { devices?: string[]; threads?: number; positionsPerRun: number }) {
  const out = join(scratch, `${settings.devices ?? 'one'}-${settings.positionsPerRun}`);
  const events = trainPhi({
    ...{ model: folder!, captions: [captions!], out, seed: 1, batch, saveEvery: 1_000_000 },
    ...{ embeddingCache: 0, ...settings },
  });
  const step = async (): Promise<number> => {
    const begin = performance.now();
    for (;;) {
      const { value } = await events.next();
      if (value?.kind === 'step') return (performance.now() - begin) / 1000;
    }
  };
  return { step, end: () => events.return() };
}

/** The bytes of a step, to devices and from them. */
async function traffic() {
  const clip = await loadClip(folder!);
  const { textConfig: config, fingerprint, tokenizer } = clip;
  const copyFolder = join(scratch, 'captions');
  await (await CaptionCopy.build(copyFolder, await findCaptionSources([captions!]), {})).close();
  const batches = new CaptionBatches({ copyFolder, modelFolder: clip.folder, masking: 'spans', seed: 1 });
  const { prepared } = await batches.take({ first: 0, count: batch });
  await batches.close();
  const dealer = await openDevices({
    devices: ['cpu'],
    model: clip.folder,
    fingerprint,
    config,
    positions: usual,
  });
  const model = { config, tensors: clip.checkpoint.tensors, startOfText: tokenizer.startOfText };
  const towers = new Towers(model, usual, new DevicePool(config, dealer, scratch));
  const targets = await towers.embeddings(prepared);
  const embeddings = { ...dealer.traffic };
  await towers.reconstruction(prepared, new Float32Array(batch * config.width).fill(0.01), targets);
  const { sent, received } = dealer.traffic;
  await towers.dispose();
  await clip.dispose();
  return {
    first: { sent, received },
    later: { sent: sent - embeddings.sent, received: received - embeddings.received },
  };
}
