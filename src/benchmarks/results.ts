/** Results of an evaluation, as in `results.json`: everything needed to repeat it, and to compare it query by query. */

import type { Precision } from '../onnx/index.ts';
import type { Prompt } from './benchmark.ts';

/** A figure from 0 to 1 with its 95 % confidence interval over queries. */
export interface Figure {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** The difference between two methods on the same queries. */
export interface Difference extends Figure {
  /** From a paired test with random signs: how often chance alone differs as much. */
  readonly p: number;
}

export interface MethodResults {
  /** Unique among the methods: `lincir`, `slerp`, … */
  readonly name: string;
  /** Its settings: its phi's file and SHA-256, its weight, … */
  readonly settings: Readonly<Record<string, string | number | boolean | null>>;
  readonly prompt: Prompt;
  /** By metric. */
  readonly figures: Readonly<Record<string, Figure>>;
  /** This method minus the first one, by metric. Absent for the first one. */
  readonly differences?: Readonly<Record<string, Difference>>;
  /** By group, then by metric. */
  readonly groups: Readonly<
    Record<string, { readonly queries: number; readonly values: Readonly<Record<string, number>> }>
  >;
  /** By metric: the values of each query, in the order of `queries`. */
  readonly perQuery: Readonly<Record<string, readonly number[]>>;
  /** The primary metric by other prompts, if they were tried. */
  readonly wordings?: readonly {
    readonly prompt: Prompt;
    readonly values: Readonly<Record<string, number>>;
  }[];
}

interface EvaluatedModel {
  readonly name: string;
  readonly fingerprint: string;
  readonly targetPad: number | null;
  /** Number format of its products: with int8, only images were encoded so. */
  readonly precision: Precision;
}

export interface Results {
  readonly version: 1;
  readonly benchmark: string;
  readonly preset: string;
  /** The options that opened it. */
  readonly options: Readonly<Record<string, string | boolean | readonly string[] | null>>;
  readonly folder: string;
  /** SHA-256 of its queries and galleries, in hex. The same annotations give the same hash. */
  readonly sha256: string;
  /** If only so many queries were asked; null: all. */
  readonly limit: number | null;
  readonly images: number;
  /** Ids, in the benchmark's order. */
  readonly queries: readonly string[];
  readonly metrics: readonly string[];
  readonly primaryMetric: string;
  readonly mean: 'queries' | 'groups';
  /** The group of each query, if figures are means of groups. */
  readonly groupOf?: readonly string[];
  /** Absent if a file of predictions was scored. */
  readonly model?: EvaluatedModel;
  readonly methods: readonly MethodResults[];
  /** Seconds of each stage. */
  readonly seconds: Readonly<Record<string, number>>;
  readonly versions: Readonly<Record<string, string>>;
  /** ISO 8601. */
  readonly date: string;
}

/** A model as lists of results name it. */
export function namedModel({ name, precision }: EvaluatedModel): string {
  return precision === 'float32' ? name : `${name} in ${precision}`;
}
