/** Turns rankings into a method's results: every metric of every query, their means, intervals and groups. */

import { LincirError } from '../core/index.ts';
import type { Benchmark, BenchmarkQuery, Ranking } from './benchmark.ts';
import type { MethodResults } from './results.ts';
import { bootstrap, differenceOf, figureOf, meanOf, sampleOf } from './statistics.ts';

/** A method's rankings, in the order of the queries. */
export interface RankedMethod extends Pick<MethodResults, 'name' | 'settings' | 'prompt'> {
  readonly rankings: readonly Ranking[];
}

/** The metrics that rankings allow. Those of a missing list are left out. */
export function scorableMetrics(
  benchmark: Benchmark,
  queries: readonly BenchmarkQuery[],
  rankings: readonly Ranking[],
): string[] {
  const values = queries.map((query, at) => scoreOf(benchmark, query, rankings[at]!));
  return benchmark.metrics.filter((metric) => values.every((scores) => scores[metric] !== undefined));
}

/**
 * Scores methods on the same queries; differences are to the first one.
 * @param metrics default: all of the benchmark's
 * @throws LincirError 'bad-argument' for a query whose answers are secret
 */
export function scoreMethods(
  benchmark: Benchmark,
  queries: readonly BenchmarkQuery[],
  methods: readonly RankedMethod[],
  metrics: readonly string[] = benchmark.metrics,
): MethodResults[] {
  const sample = sampleOf(
    queries.map(({ groups }) => groups),
    benchmark.mean,
  );
  const scored = methods.map((method) => {
    const scores = queries.map((query, at) => scoreOf(benchmark, query, method.rankings[at]!));
    const values = metrics.map((metric) => scores.map((score) => score[metric]!));
    return { method, values };
  });
  const resampled = bootstrap(
    scored.flatMap(({ values }) => values),
    sample,
  );
  const of = (method: number, metric: number) => ({
    values: scored[method]!.values[metric]!,
    resampled: resampled[method * metrics.length + metric]!,
  });
  const byMetric = <Value>(value: (metric: number) => Value): Record<string, Value> =>
    Object.fromEntries(metrics.map((metric, index) => [metric, value(index)]));
  return scored.map(({ method: { name, settings, prompt }, values }, index) => ({
    ...{ name, settings, prompt },
    figures: byMetric((metric) => figureOf(meanOf(values[metric]!, sample), of(index, metric).resampled)),
    ...(index > 0 && {
      differences: byMetric((metric) => differenceOf(of(index, metric), of(0, metric), sample)),
    }),
    groups: groupsOf(queries, metrics, values),
    perQuery: byMetric((metric) => values[metric]!.map((value) => Number(value.toFixed(6)))),
  }));
}

/** Only the mean of a metric over queries, as the benchmark takes it. */
export function meanScore(
  benchmark: Benchmark,
  queries: readonly BenchmarkQuery[],
  rankings: readonly Ranking[],
): Record<string, number> {
  const sample = sampleOf(
    queries.map(({ groups }) => groups),
    benchmark.mean,
  );
  const scores = queries.map((query, at) => scoreOf(benchmark, query, rankings[at]!));
  return Object.fromEntries(
    benchmark.metrics.map((metric) => [
      metric,
      meanOf(
        scores.map((score) => score[metric]!),
        sample,
      ),
    ]),
  );
}

function scoreOf(
  benchmark: Benchmark,
  query: BenchmarkQuery,
  ranking: Ranking,
): Readonly<Record<string, number>> {
  if (query.targets !== undefined) return benchmark.score(query, ranking);
  throw new LincirError('bad-argument', {
    subject: `${benchmark.preset}, query ${query.id}`,
    expected: 'a split whose answers are known',
    found: 'none: they are secret',
    todo: 'write a submission for the server: lincir submit',
  });
}

function groupsOf(
  queries: readonly BenchmarkQuery[],
  metrics: readonly string[],
  values: readonly (readonly number[])[],
): MethodResults['groups'] {
  const members = new Map<string, number[]>();
  for (const [at, { groups }] of queries.entries()) {
    for (const group of groups) {
      const own = members.get(group) ?? [];
      members.set(group, own);
      own.push(at);
    }
  }
  return Object.fromEntries(
    [...members].map(([group, own]) => {
      const mean = (metric: number) => own.reduce((sum, at) => sum + values[metric]![at]!, 0) / own.length;
      const means = metrics.map((metric, index) => [metric, mean(index)] as const);
      return [group, { queries: own.length, values: Object.fromEntries(means) }];
    }),
  );
}
