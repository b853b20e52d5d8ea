/**
 * Ranking and scoring without encoding, at the sizes of CIRR val and CIRCO test, beside PyTorch; and the memory that a
 * gallery takes, read from the cache: `node bench/ranking.ts`. Each size is measured by processes of their own.
 */

import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { inverseNorms } from '../src/benchmarks/embed-images.ts';
import type { Benchmark, BenchmarkQuery } from '../src/benchmarks/index.ts';
import { cirr } from '../src/benchmarks/kinds/cirr.ts';
import { rank } from '../src/benchmarks/ranking.ts';
import { scoreMethods } from '../src/benchmarks/scoring.ts';
import { normalizeRows, normals } from '../src/core/index.ts';
import { VectorCache } from '../src/files/index.ts';
import { machine, rounded, saveResult } from './results.ts';
import { median, Peer, speedup, type Timing, takeTurns, timed } from './turns.ts';

const dimensions = 768;
const sizes = {
  'CIRR val': { pictures: 2297, queries: 4181, candidates: 5 },
  'CIRCO test': { pictures: 123_403, queries: 800, candidates: 0 },
} as const;
const rounds = 5;
const { values: options } = parseArgs({
  options: {
    /** For the process that measures: the size, and where the embeddings are. */
    size: { type: 'string' },
    cache: { type: 'string' },
  },
});

if (options.size !== undefined) {
  console.log(JSON.stringify(await memoryOf(options.size as keyof typeof sizes, options.cache!)));
} else {
  const results = [];
  for (const [name, size] of Object.entries(sizes)) {
    const folder = await mkdtemp(join(tmpdir(), 'lincir-ranking-'));
    try {
      await fill(folder, size.pictures);
      const run = promisify(execFile);
      const { stdout } = await run(process.execPath, [
        import.meta.filename,
        '--size',
        name,
        '--cache',
        folder,
      ]);
      results.push({ name, ...size, ...JSON.parse(stdout), ...(await beside(size)) });
    } finally {
      await rm(folder, { recursive: true });
    }
  }
  await saveResult('ranking', { machine: machine(), dimensions, results });
  console.table(results.map(({ lincir, topk, sort, ...rest }) => rest));
}

type Size = (typeof sizes)[keyof typeof sizes];

/** Side by side with PyTorch, in turns. */
async function beside(size: Size) {
  const pictures = embeddings(vectors(size.pictures, 0));
  const { benchmark, queries, composed } = asked(size);
  const given = Object.entries(size).flatMap(([name, count]) => [`--${name}`, `${count}`]);
  const topk = await Peer.start('ranking.py', given);
  const sort = await Peer.start('ranking.py', [...given, '--sort']);
  const timings: Record<'lincir' | 'topk' | 'sort', Timing> = await takeTurns(
    {
      lincir: () => timed(() => rank(benchmark, queries, composed, pictures)),
      topk: async () => (await topk.run()).seconds,
      sort: async () => (await sort.run()).seconds,
    },
    rounds,
  );
  await topk.stop();
  await sort.stop();
  const rankings = await rank(benchmark, queries, composed, pictures);
  const scoring: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const method = { name: 'lincir', settings: {}, prompt: benchmark.prompt, rankings };
    scoring.push(await timed(async () => scoreMethods(benchmark, queries, [method])));
  }
  return {
    rankingSeconds: rounded(timings.lincir.median),
    scoringSeconds: rounded(median(scoring)),
    asFastAsTopk: rounded(speedup(timings.lincir, timings.topk)),
    asFastAsSort: rounded(speedup(timings.lincir, timings.sort)),
    ...timings,
  };
}

/** What one evaluation of this size takes at most, reading its images' embeddings from the disk. */
async function memoryOf(name: keyof typeof sizes, folder: string) {
  const size = sizes[name];
  const data = new Float32Array(size.pictures * dimensions);
  const cache = await VectorCache.open(folder, dimensions);
  const reading = await timed(() =>
    cache.read(
      Array.from({ length: size.pictures }, (_, row) => [`p${row}`, row] as const),
      data,
    ),
  );
  const { benchmark, queries, composed } = asked(size);
  await rank(benchmark, queries, composed, embeddings(data));
  return { readingSeconds: rounded(reading), peakBytes: process.resourceUsage().maxRSS * 1024 };
}

async function fill(folder: string, pictures: number): Promise<void> {
  const cache = await VectorCache.open(folder, dimensions);
  for (let begin = 0; begin < pictures; begin += 4096) {
    const count = Math.min(4096, pictures - begin);
    await cache.add(
      Array.from({ length: count }, (_, at) => `p${begin + at}`),
      vectors(count, begin),
    );
  }
}

function vectors(rows: number, row: number): Float32Array {
  return normals({ seed: 0, purpose: 'noise', moment: 1, row }, rows * dimensions);
}

function embeddings(data: Float32Array) {
  const rows = new Map(Array.from({ length: data.length / dimensions }, (_, row) => [`p${row}`, row]));
  return { data, dimensions, scales: inverseNorms(data, dimensions), rows, encoded: 0 };
}

/** Queries whose answers lie anywhere, scored as CIRR is. */
function asked({ pictures, queries: count, candidates }: Size) {
  const ids = Array.from({ length: pictures }, (_, row) => `p${row}`);
  const near = (at: number, step: number) => ids[(at * 37 + step) % pictures]!;
  const queries = Array.from({ length: count }, (_, at): BenchmarkQuery => {
    const subset = Array.from({ length: candidates }, (_, step) => near(at, step + 1));
    return {
      ...{ id: `${at}`, reference: near(at, 0), texts: ['x'], gallery: 'all', exclude: [near(at, 0)] },
      ...{ targets: [near(at, 1)], groups: [] },
      ...(candidates > 0 && { candidates: subset }),
    };
  });
  const composed = vectors(count, 2 ** 31);
  normalizeRows(composed, dimensions);
  const benchmark: Benchmark = {
    ...{ name: cirr.name, preset: 'ranking', folder: '', images: [], queries },
    galleries: new Map([['all', ids]]),
    prompt: { composed: '$ {text}', text: '{text}' },
    topK: 50,
    metrics: ['R@1', 'R@10'],
    primaryMetric: 'R@1',
    mean: 'queries',
    score: ({ targets }, { gallery }) => ({
      'R@1': gallery![0] === targets![0] ? 1 : 0,
      'R@10': gallery!.slice(0, 10).includes(targets![0]!) ? 1 : 0,
    }),
  };
  return { benchmark, queries, composed };
}
