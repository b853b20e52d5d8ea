/** Uncertainty of figures: bootstrap intervals over queries, and a paired test of two methods on the same queries. */

import { bits } from '../core/index.ts';
import type { Difference, Figure } from './results.ts';

/** How values of queries make a figure: each value has a weight, and the weights add up to 1. */
interface Sample {
  /** The queries of each stratum. They are resampled within it. */
  readonly strata: readonly (readonly number[])[];
  readonly weights: Float64Array;
}

const resamples = 1000;
/** Sign patterns of the paired test. */
const permutations = 2000;
/** Of two-sided 95 % intervals. */
const tail = 0.025;

/**
 * The sample of a mean: over all queries equally, or over groups equally.
 * @param groups of each query: for a mean of groups, exactly one
 */
export function sampleOf(groups: readonly (readonly string[])[], mean: 'queries' | 'groups'): Sample {
  const byGroup = new Map<string, number[]>();
  for (const [at, names] of groups.entries()) {
    const name = mean === 'groups' ? names[0]! : '';
    const members = byGroup.get(name) ?? [];
    byGroup.set(name, members);
    members.push(at);
  }
  const strata = [...byGroup.values()];
  const weights = new Float64Array(groups.length);
  for (const members of strata) for (const at of members) weights[at] = 1 / strata.length / members.length;
  return { strata, weights };
}

/** The figure of values, without an interval. */
export function meanOf(values: readonly number[], { weights }: Sample): number {
  let sum = 0;
  for (let at = 0; at < values.length; at += 1) sum += weights[at]! * values[at]!;
  return sum;
}

/**
 * Percentile bootstrap (Efron and Tibshirani, 1993, chapter 13): queries are resampled with replacement, 1,000 times. Each
 * time all rows use the same queries, which makes differences paired.
 * @param rows values of queries, [rows][queries]
 * @returns for each row its figure in every resample: [rows][resamples]
 */
export function bootstrap(rows: readonly (readonly number[])[], sample: Sample, seed = 0): Float64Array[] {
  const { strata, weights } = sample;
  const figures = rows.map(() => new Float64Array(resamples));
  const counted = new Float64Array(weights.length);
  for (let moment = 0; moment < resamples; moment += 1) {
    counted.fill(0);
    for (const [row, members] of strata.entries()) {
      const next = bits({ seed, purpose: 'bootstrap', moment, row });
      for (const _ of members) {
        const at = members[Math.floor(next() * 2 ** -32 * members.length)]!;
        counted[at]! += weights[at]!;
      }
    }
    for (const [row, values] of rows.entries()) {
      let sum = 0;
      for (let at = 0; at < values.length; at += 1) sum += counted[at]! * values[at]!;
      figures[row]![moment] = sum;
    }
  }
  return figures;
}

/** A figure with the interval from its resamples. */
export function figureOf(value: number, resampled: Float64Array): Figure {
  const sorted = resampled.toSorted();
  const at = (part: number) => sorted[Math.round(part * (sorted.length - 1))]!;
  return { value, low: at(tail), high: at(1 - tail) };
}

/**
 * The paired randomisation test (Smucker, Allan, Carterette, CIKM 2007): if chance decided which method gets which of a
 * query's two values, how often would the figures differ as much or more? Two-sided.
 */
export function pairedP(a: readonly number[], b: readonly number[], { weights }: Sample, seed = 0): number {
  const differences = Float64Array.from(a, (value, at) => weights[at]! * (value - b[at]!)).filter(
    (value) => value !== 0,
  );
  const observed = Math.abs(differences.reduce((sum, value) => sum + value, 0));
  const next = bits({ seed, purpose: 'bootstrap', moment: 0, row: 2 ** 32 - 1 });
  let asMuch = 1; // the observed pattern
  for (let permutation = 0; permutation < permutations; permutation += 1) {
    let sum = 0;
    let signs = 0;
    for (let at = 0; at < differences.length; at += 1) {
      if (at % 32 === 0) signs = next();
      sum += signs & 1 ? differences[at]! : -differences[at]!;
      signs >>>= 1;
    }
    if (Math.abs(sum) >= observed * (1 - 1e-12)) asMuch += 1;
  }
  return asMuch / (permutations + 1);
}

/** Method `a` minus method `b`. */
export function differenceOf(
  a: { readonly values: readonly number[]; readonly resampled: Float64Array },
  b: { readonly values: readonly number[]; readonly resampled: Float64Array },
  sample: Sample,
): Difference {
  const value = meanOf(a.values, sample) - meanOf(b.values, sample);
  const figure = figureOf(
    value,
    a.resampled.map((figure, at) => figure - b.resampled[at]!),
  );
  return { ...figure, p: pairedP(a.values, b.values, sample) };
}
