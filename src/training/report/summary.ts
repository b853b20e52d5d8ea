/** Summarises a run's metrics for the report, in memory that does not grow with the number of steps. */

import type { Metrics, ValidationMetrics } from '../metrics.ts';
import { Curve } from './curves.ts';

export interface RunSummary {
  readonly loss: Curve;
  readonly learningRate: Curve;
  readonly gradientNorm: Curve;
  readonly captionsPerSecond: Curve;
  /** By name. */
  readonly benchmarks: ReadonlyMap<string, BenchmarkSummary>;
  readonly last: Metrics | undefined;
}

/** What one benchmark measured during the run. */
export interface BenchmarkSummary {
  /** By metric. */
  readonly curves: ReadonlyMap<string, Readonly<Record<ValidationMetrics['phi'], Curve>>>;
  /** The last validations, in order. */
  readonly recent: readonly ValidationMetrics[];
  /** How many validations there were. */
  readonly count: number;
  readonly best: ValidationMetrics | undefined;
}

/** How many validations of a benchmark are kept. */
const recentLimit = 100;

export async function summarized(metrics: AsyncIterable<Metrics>): Promise<RunSummary> {
  const [loss, learningRate, gradientNorm] = [new Curve(), new Curve(), new Curve()];
  const captionsPerSecond = new Curve();
  const benchmarks = new Map<string, Benchmark>();
  let last: Metrics | undefined;
  for await (const record of metrics) {
    if (record.kind === 'device') continue;
    last = record;
    if (record.kind === 'validation') {
      const benchmark = benchmarks.get(record.name) ?? new Benchmark();
      benchmarks.set(record.name, benchmark);
      benchmark.add(record);
    } else {
      loss.add(record.step, record.loss);
      learningRate.add(record.step, record.learningRate);
      gradientNorm.add(record.step, record.gradientNorm);
      captionsPerSecond.add(record.step, record.captionsPerSecond);
    }
  }
  return { loss, learningRate, gradientNorm, captionsPerSecond, benchmarks, last };
}

class Benchmark implements BenchmarkSummary {
  readonly curves = new Map<string, Record<ValidationMetrics['phi'], Curve>>();
  readonly recent: ValidationMetrics[] = [];
  count = 0;
  best: ValidationMetrics | undefined;

  add(record: ValidationMetrics): void {
    for (const [metric, value] of Object.entries(record.metrics)) {
      const curves = this.curves.get(metric) ?? { phi: new Curve(), ema: new Curve() };
      this.curves.set(metric, curves);
      curves[record.phi].add(record.step, value);
    }
    this.count += 1;
    this.recent.push(record);
    if (this.recent.length > recentLimit) this.recent.shift();
    if (record.best) this.best = record;
  }
}
