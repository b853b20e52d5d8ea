/** What runs and long jobs leave on a disk for those after them: states, protocols, unfinished work, locks. */

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  beginLog,
  continueLog,
  readState as readClipState,
  writeState as writeClipState,
} from '../../../scripts/mini-clip/training-state.ts';
import { readRecorded } from '../../../src/check/published/recorded.ts';
import { type Job, PartialWork } from '../../../src/cli/embed/partial-work.ts';
import { fileSource, takeLock, writeSafetensors, writeTorchCheckpoint } from '../../../src/files/index.ts';
import { initialPhi, phiCheckpoint, phiTensors, readPhi } from '../../../src/phi/index.ts';
import { parseManifest } from '../../../src/store/lance/manifest.ts';
import { EmbeddingCache } from '../../../src/training/embedding-cache.ts';
import { openMetricsLog, readMetrics } from '../../../src/training/metrics.ts';
import {
  initialState,
  readRunConfig,
  readState,
  writeRunConfig,
  writeState,
} from '../../../src/training/run-folder.ts';
import { checkedSettings } from '../../../src/training/settings.ts';
import { openTensorboardLog } from '../../../src/training/tensorboard.ts';
import { bytesOf, drain, filled, jsonOf, jsonTokens, ofFile, type Target } from '../target.ts';
import { safetensorsRepair, safetensorsTokens } from './weights.ts';

const phis = join(import.meta.dirname, '../../fixtures/phi');

const time = '2026-01-01T00:00:00.000Z';
const metrics = [
  {
    ...{ kind: 'step', step: 1, loss: 2.5, learningRate: 1e-4, gradientNorm: 'NaN', captionsPerSecond: 10 },
    ...{ gflopsPerSecond: 1, seconds: 2, memoryBytes: 1e9, time },
  },
  { kind: 'validation', step: 1, name: 'mini', phi: 'ema', metrics: { 'R@1': 0.5 }, best: true, time },
];
const torchTokens = ['PK\x01\x02', 'PK\x03\x04', 'PK\x05\x06', '.weight', 'layers.0', 'module.'];

const readPhiFrom = async (path: string) => await readPhi(await fileSource(path));

export async function runTargets(folder: string) {
  const settings = checkedSettings({ model: 'mini', captions: ['a.txt'], ema: true }, 'settings');
  const shape = { architecture: 'lincir', input: 2, hidden: 8, output: 3 } as const;
  const run = await filled(join(folder, 'run'), { 'metrics.jsonl': '' });
  await writeState(run, { ...initialState(shape, settings), step: 3, best: { step: 2, score: 0.5 } });
  await writeRunConfig(run, {
    ...{ settings, phi: shape, versions: { lincir: '0.1.0' }, begun: time },
    model: { id: null, folder: 'models/mini', fingerprint: 'f' },
    captions: [
      {
        ...{ name: 'a.txt', origin: 'a.txt', weight: 1, bytes: 9, version: '1', captions: 2, leftOut: 0 },
        sha256: 'a'.repeat(64),
      },
    ],
  });
  const state = await readFile(join(run, 'state.safetensors'));
  const phiFile = join(folder, 'phi.safetensors');
  await filled(folder, { 'phi.safetensors': '' });
  const info = { shape, l2Normalize: true, step: 3, model: 'm' };
  await writeSafetensors(phiFile, ...phiTensors(info, initialPhi(shape, 1)));
  const phi = await readFile(phiFile);
  const exported = join(folder, 'exported.pt');
  await writeTorchCheckpoint(exported, phiCheckpoint(info, initialPhi(shape, 1), 'lincir'));

  const job: Job = {
    ...{ kind: 'texts', model: 'mini', fingerprint: 'f', normalized: true, targetPad: null, dimensions: 2 },
  };
  const names = ['a', 'b\n', 'c'];
  const partial = join(folder, 'partial');
  const work = await PartialWork.open(partial, job, names);
  await work.skip({ index: 1, name: 'b\n', reason: 'broken' });
  await work.append(new Float32Array(4));
  await work.close();
  const files = Object.fromEntries(
    await Promise.all(
      ['job.json', 'names.jsonl', 'rows.f32', 'skipped.jsonl'].map(
        async (name) => [name, await readFile(join(partial, name))] as const,
      ),
    ),
  );
  const unfinished = (name: string, tokens: readonly string[]): Target => ({
    ...{ covers: ['cli/embed/partial-work.ts'], tokens, seeds: [files[name]!] },
    read: async (bytes) => {
      await filled(partial, { ...files, [name]: bytes });
      const opened = await PartialWork.open(partial, job, names);
      try {
        await drain(opened.names());
        await drain(opened.rows());
      } finally {
        await opened.close();
      }
    },
  });

  const clip = await filled(join(folder, 'clip'), { 'training-log.jsonl': '' });
  const clipSettings = { seed: 1, batch: [2, 3] };
  const moments = { first: new Float32Array(5), second: new Float32Array(5) };
  await writeClipState(clip, { step: 2, seconds: 1, parameters: new Float32Array(5), moments });
  const clipState = await readFile(join(clip, 'training-state.safetensors'));
  await beginLog(clip, clipSettings);
  const log = Buffer.concat([
    await readFile(join(clip, 'training-log.jsonl')),
    bytesOf('{"step":1}\n{"step":2}\n'),
  ]);

  const lock = await takeLock(join(folder, 'lock'));
  const [owner] = await readdir(join(folder, 'lock'));
  const ownerSeed = await readFile(join(folder, 'lock', owner!));
  await lock.release();
  const lockFolder = join(folder, 'held');

  return {
    'run-config': {
      covers: ['training/run-folder.ts', 'training/settings.ts', 'training/open-run.ts'],
      seeds: [await readFile(join(run, 'config.json'))],
      tokens: [...jsonTokens, '"phi"', '"hidden"', '2e9', '"captions"'],
      read: ofFile(run, 'config.json', () => readRunConfig(run)),
    },
    'run-state': {
      covers: ['training/run-folder.ts', 'core/read-tensor.ts'],
      seeds: [state],
      repair: safetensorsRepair(state.length - 8 - Number(state.readBigUInt64LE())),
      tokens: [...safetensorsTokens, '"best"', '"step"'],
      read: ofFile(run, 'state.safetensors', () => readState(run, shape, settings)),
    },
    'run-metrics': {
      covers: [
        'training/metrics.ts',
        'training/tensorboard.ts',
        'training/growing-file.ts',
        'training/run.ts',
      ],
      seeds: [bytesOf(metrics.map((record) => `${JSON.stringify(record)}\n`).join(''))],
      tokens: [...jsonTokens, '"step"', '"validation"', '"metrics"', '\n', '"Infinity"'],
      read: ofFile(run, 'metrics.jsonl', async (file) => {
        await (await openTensorboardLog(run, readMetrics(file))).close();
        await (await openMetricsLog(file, 1)).close();
      }),
    },
    'run-embeddings': {
      covers: ['training/embedding-cache.ts'],
      seeds: [new Uint8Array(4 * 16)],
      tokens: ['\x01\0\0\0', '\xff\xff\xff\xff', '\0\0\x80\x3f', '\0\0\xc0\x7f'],
      read: ofFile(folder, 'embeddings.f32', async (path) => {
        const cache = new EmbeddingCache(path, 4, 3, 2);
        await cache.embeddings([0, 3, 0], 3, async (rows) => new Float32Array(rows.length * 3));
        cache.close();
      }),
    },
    phi: {
      covers: ['phi/file.ts', 'core/read-tensor.ts', 'benchmarks/open-methods.ts'],
      seeds: [phi],
      repair: safetensorsRepair(phi.length - 8 - Number(phi.readBigUInt64LE())),
      tokens: [...safetensorsTokens, '"architecture"', '"pic2word"', '"hidden"', 'layers.0', 'module.'],
      read: ofFile(folder, 'phi.safetensors', readPhiFrom),
    },
    'phi-published': {
      covers: ['phi/file.ts'],
      seeds: [
        ...(await Promise.all(
          ['bare.pt', 'lincir.pt', 'pic2word.pt', 'searle.pt', 'two.pt'].map((name) =>
            readFile(join(phis, name)),
          ),
        )),
        await readFile(exported),
      ],
      tokens: [...torchTokens, 'lincir', 'lincir-phi', 'l2Normalize'],
      read: ofFile(folder, 'phi.pt', readPhiFrom),
    },
    'partial-job': unfinished('job.json', jsonTokens),
    'partial-names': unfinished('names.jsonl', [...jsonTokens, '\n']),
    'partial-rows': unfinished('rows.f32', ['\0\0\0\0', '\xff\xff\xff\xff']),
    'partial-skipped': unfinished('skipped.jsonl', [...jsonTokens, '\n', '"index"']),
    'clip-training-state': {
      covers: [],
      seeds: [clipState],
      repair: safetensorsRepair(60),
      tokens: [...safetensorsTokens, '"step"'],
      read: ofFile(clip, 'training-state.safetensors', () => readClipState(clip, 5)),
    },
    'clip-training-log': {
      covers: [],
      seeds: [log],
      tokens: [...jsonTokens, '\n', '"step"'],
      read: ofFile(clip, 'training-log.jsonl', () => continueLog(clip, clipSettings, 1)),
    },
    'recorded-values': {
      covers: ['check/published/recorded.ts'],
      seeds: [jsonOf({ version: 1, values: [recordedValues] })],
      tokens: [...jsonTokens, '"values"', '"texts"', '"kind"', '"softmax"', '"tolerance"', '"picture"'],
      read: ofFile(folder, 'values.json', (path) =>
        readRecorded(path, { id: 'acme/clip', folder: 'clip', fingerprint: 'f' }),
      ),
    },
    'lock-owner': {
      covers: ['files/lock.ts', 'files/owner.ts'],
      seeds: [bytesOf(ownerSeed.toString().replace(/^\d+/, `${2 ** 22 + 1}`)), ownerSeed],
      tokens: ['\n', '0', '-1', '1e9', 'NaN', ' ', '\0', '4294967296'],
      read: async (bytes) => {
        await filled(lockFolder, { 'owner-1': bytes });
        await (await takeLock(lockFolder)).release();
      },
    },
    'index-manifest': {
      covers: ['store/lance/manifest.ts'],
      seeds: [jsonOf(manifest)],
      tokens: [...jsonTokens, '"current"', '"generations"', '"version"'],
      read: async (bytes) => parseManifest(Buffer.from(bytes).toString(), 'index.lance'),
    },
  } satisfies Record<string, Target>;
}

const recordedValues = {
  ...{ model: 'acme/clip', fingerprint: 'f', picture: 'a.jpg', sha256: 'a'.repeat(64), source: 'a test' },
  ...{ texts: ['a', 'b'], kind: 'cosines', values: [0.5, 0], tolerance: { absolute: 1e-4, relative: 0 } },
};
const generation = {
  ...{ version: 1, model: 'mini', fingerprint: 'f', dimensions: 3, precision: 'float32', targetPad: null },
  created: time,
};
const manifest = { version: 1, current: 1, generations: { 0: generation, 1: generation } };
