/** Compares two runs: the same methods, or the first ones, on the queries that both answered. */

import { LincirError } from '../core/index.ts';
import type { Precision } from '../onnx/index.ts';
import type { Difference, MethodResults, Results } from './results.ts';
import { bootstrap, differenceOf, meanOf, sampleOf } from './statistics.ts';

export interface Comparison {
  readonly preset: string;
  /** Queries that both runs answered; `of` is the larger number of queries. */
  readonly queries: number;
  readonly of: number;
  readonly metrics: readonly string[];
  /** Of each run's model; null: a file of predictions was scored. */
  readonly precisions: { readonly a: Precision | null; readonly b: Precision | null };
  readonly pairs: readonly ComparedPair[];
}

interface ComparedPair {
  readonly a: string;
  readonly b: string;
  /** By metric: both figures on the common queries, and b minus a. */
  readonly figures: Readonly<
    Record<string, { readonly a: number; readonly b: number; readonly difference: Difference }>
  >;
}

/**
 * Compares two results of one benchmark: methods by their names, or the first ones if no method is in both.
 * @throws LincirError 'bad-argument' for results of different benchmarks, or without a common query or metric
 */
export function compareResults(a: Results, b: Results): Comparison {
  const refuse = (expected: string, found: string) =>
    new LincirError('bad-argument', { subject: 'the two results', expected, found });
  if (a.preset !== b.preset) throw refuse('one benchmark, split and variant', `${a.preset} and ${b.preset}`);
  if (a.sha256 !== b.sha256) throw refuse('the same annotations', 'others of the same name');
  const placesOfB = new Map(b.queries.map((id, at) => [id, at]));
  const places = a.queries.flatMap((id, at) => {
    const other = placesOfB.get(id);
    return other === undefined ? [] : [[at, other] as const];
  });
  if (places.length === 0) throw refuse('queries that both answered', 'none');
  const metrics = a.metrics.filter((metric) => b.metrics.includes(metric));
  if (metrics.length === 0) throw refuse('metrics that both have', 'none');

  const sample = sampleOf(
    places.map(([at]) => [a.groupOf?.[at] ?? '']),
    a.mean,
  );
  const pairs = pairsOf(a, b).map(([first, second]): ComparedPair => {
    const rows = metrics.flatMap((metric) => [
      places.map(([at]) => first.perQuery[metric]![at]!),
      places.map(([, at]) => second.perQuery[metric]![at]!),
    ]);
    const resampled = bootstrap(rows, sample);
    const figures = metrics.map((metric, index) => {
      const of = (row: number) => ({ values: rows[row]!, resampled: resampled[row]! });
      const [left, right] = [of(2 * index), of(2 * index + 1)];
      return [
        metric,
        {
          a: meanOf(left.values, sample),
          b: meanOf(right.values, sample),
          difference: differenceOf(right, left, sample),
        },
      ] as const;
    });
    return { a: first.name, b: second.name, figures: Object.fromEntries(figures) };
  });
  const of = Math.max(a.queries.length, b.queries.length);
  const precisions = { a: a.model?.precision ?? null, b: b.model?.precision ?? null };
  return { preset: a.preset, queries: places.length, of, metrics, precisions, pairs };
}

function pairsOf(a: Results, b: Results): (readonly [MethodResults, MethodResults])[] {
  const common = a.methods.flatMap((method) => {
    const same = b.methods.find(({ name }) => name === method.name);
    return same ? [[method, same] as const] : [];
  });
  return common.length > 0 ? common : [[a.methods[0]!, b.methods[0]!]];
}
