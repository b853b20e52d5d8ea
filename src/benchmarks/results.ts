/** What an evaluation found, as `results.json` keeps it: everything needed to repeat it, and to compare it query by query. */

import type { Prompt } from './benchmark.ts';

/** A figure of 0 to 1 with its 95 % confidence interval over queries. */
export interface Figure {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** How much better a method is than another on the same queries. */
export interface Difference extends Figure {
  /** Of a paired test by random signs: how often chance alone differs as much. */
  readonly p: number;
}

export interface MethodResults {
  /** Unique among the methods: `lincir`, `slerp`, … */
  readonly name: string;
  /** What was chosen for it: its phi's file and SHA-256, its weight, … */
  readonly settings: Readonly<Record<string, string | number | boolean | null>>;
  readonly prompt: Prompt;
  /** By metric. */
  readonly figures: Readonly<Record<string, Figure>>;
  /** This method minus the first one, by metric; absent for the first one. */
  readonly differences?: Readonly<Record<string, Difference>>;
  /** By group, and in it by metric. */
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

export interface Results {
  readonly version: 1;
  readonly benchmark: string;
  readonly preset: string;
  /** How it was opened. */
  readonly options: Readonly<Record<string, string | boolean | readonly string[] | null>>;
  readonly folder: string;
  /** SHA-256 of its queries and galleries, in hex: the same for the same annotations. */
  readonly sha256: string;
  /** Only the first so many queries were asked; null: all. */
  readonly limit: number | null;
  readonly images: number;
  /** Ids, in the benchmark's order. */
  readonly queries: readonly string[];
  readonly metrics: readonly string[];
  readonly primaryMetric: string;
  readonly mean: 'queries' | 'groups';
  /** The group of each query, where figures are means of groups. */
  readonly groupOf?: readonly string[];
  /** Absent where a file of predictions was scored. */
  readonly model?: { readonly name: string; readonly fingerprint: string; readonly targetPad: number | null };
  readonly methods: readonly MethodResults[];
  /** Seconds of each stage. */
  readonly seconds: Readonly<Record<string, number>>;
  readonly versions: Readonly<Record<string, string>>;
  /** ISO 8601. */
  readonly date: string;
}
