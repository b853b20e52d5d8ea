/** Scores predictions that were made elsewhere: in a benchmark's official format, or in our own. */

import { basename } from 'node:path';
import { LincirError, option } from '../core/index.ts';
import { readJsonFile, versions } from '../files/index.ts';
import type { Benchmark, BenchmarkKind, OpenBenchmarkOptions, Ranking } from './benchmark.ts';
import { contentHash, type Evaluation, optionsOf, type Rankings, scale } from './evaluate.ts';
import { composed } from './kinds/annotations.ts';
import { readRankings } from './predictions.ts';
import { scorableMetrics, scoreMethods } from './scoring.ts';

/** Limit in bytes: several times the largest submission. */
const predictionLimit = 2 ** 28;

/**
 * Scores files of predictions, which together belong to one method. Metrics of a list that no file has are left out.
 * @throws LincirError 'not-found', 'io', 'bad-file' naming the query, 'bad-argument' for secret answers
 */
export async function scorePredictions(
  kind: BenchmarkKind,
  benchmark: Benchmark,
  files: readonly string[],
  opened: OpenBenchmarkOptions = {},
): Promise<Evaluation> {
  const begin = performance.now();
  const merged = new Map<string, Ranking>();
  for (const file of files) {
    for (const [id, ranking] of await readPredictions(kind, benchmark, file)) {
      const before = merged.get(id) ?? {};
      const twice = Object.keys(ranking).find((list) => list in before);
      if (twice !== undefined) {
        throw new LincirError('bad-argument', {
          subject: `${file}: query ${id}`,
          expected: 'one list of each kind',
          found: `a second ${twice}`,
          todo: 'name each file once, and the files of one method only',
        });
      }
      merged.set(id, { ...before, ...ranking });
    }
  }
  const { queries, name, preset, folder, images } = benchmark;
  const missing = queries.find(({ id }) => !merged.has(id));
  if (missing !== undefined) {
    throw new LincirError('bad-file', {
      subject: files.join(', '),
      expected: `predictions for all ${queries.length} queries`,
      found: `none for query ${missing.id}`,
      todo: `give the files of all parts, or name the parts with ${option<OpenBenchmarkOptions>('only')}`,
    });
  }
  const rankings = queries.map(({ id }) => merged.get(id)!);
  const metrics = scorableMetrics(benchmark, queries, rankings);
  const method = {
    name: 'predictions',
    settings: { files: files.map((file) => basename(file)).join(', ') },
    prompt: benchmark.prompt,
    rankings,
  };
  const methods = scoreMethods(benchmark, queries, [method], metrics);
  const ranked: Rankings = merged;
  return {
    results: {
      version: 1,
      ...{ benchmark: name, preset, folder, sha256: contentHash(benchmark) },
      ...{ options: optionsOf(opened), limit: null, images: images.length },
      ...scale(benchmark),
      metrics,
      primaryMetric: metrics.includes(benchmark.primaryMetric) ? benchmark.primaryMetric : metrics[0]!,
      methods,
      seconds: { scoring: (performance.now() - begin) / 1000 },
      versions: versions(),
      date: new Date().toISOString(),
    },
    rankings: new Map([[method.name, ranked]]),
  };
}

async function readPredictions(kind: BenchmarkKind, benchmark: Benchmark, file: string): Promise<Rankings> {
  if (file.toLowerCase().endsWith('.jsonl')) return await readRankings(file, benchmark);
  if (kind.predictions !== undefined) {
    return kind.predictions.read(composed(await readJsonFile(file, predictionLimit)), benchmark, file);
  }
  throw new LincirError('bad-argument', {
    subject: file,
    expected: 'a .jsonl file, a line {"query", "gallery" or "candidates"} a query',
    found: `another, and ${kind.name} has no official format`,
  });
}
