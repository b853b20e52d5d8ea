/** Selects the queries that the report shows: all, or as many of the best as of the worst. */

import { createHash } from 'node:crypto';
import { LincirError, quoted } from '../../core/index.ts';
import type { Benchmark, BenchmarkQuery } from '../benchmark.ts';
import type { Results } from '../results.ts';

export interface ShownQuery {
  readonly query: BenchmarkQuery;
  /** Its position among the results' queries. */
  readonly at: number;
  /** The primary metric of each method. */
  readonly values: readonly number[];
}

/**
 * At most `limit` queries, the best by the first method's primary metric first. Among equal ones, the hashes of their ids
 * decide, because the first ones of a benchmark often belong to one category.
 * @throws LincirError 'bad-argument' for results of another benchmark
 */
export function selectedQueries(results: Results, benchmark: Benchmark, limit: number): ShownQuery[] {
  const { methods, primaryMetric } = results;
  const queries = new Map(benchmark.queries.map((query) => [query.id, query]));
  const all = results.queries.map((id, at): ShownQuery => {
    const query = queries.get(id);
    if (query === undefined) {
      throw new LincirError('bad-argument', {
        subject: `the results of ${results.preset}`,
        expected: `queries of ${benchmark.preset}`,
        found: `the query ${quoted(id)}`,
        todo: 'open the benchmark as the evaluation did',
      });
    }
    return { query, at, values: methods.map(({ perQuery }) => perQuery[primaryMetric]?.[at] ?? 0) };
  });
  const drawn = new Map(all.map(({ query: { id } }) => [id, createHash('sha256').update(id).digest('hex')]));
  all.sort(
    (a, b) => b.values[0]! - a.values[0]! || (drawn.get(a.query.id)! < drawn.get(b.query.id)! ? -1 : 1),
  );
  if (all.length <= limit) return all;
  const worst = Math.floor(limit / 2);
  return [...all.slice(0, limit - worst), ...all.slice(all.length - worst)];
}
