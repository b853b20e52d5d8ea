/** Figures that authors published of a phi's file, and their comparison with results. None was measured where lincir was made. */

import type { Method } from '../composition/index.ts';
import { LincirError } from '../core/index.ts';
import type { OpenBenchmarkOptions } from './benchmark.ts';
import type { Results } from './results.ts';

/** Figures in percent, by metric. */
type Figures = Readonly<Record<string, number>>;

/** What a source says of a phi on one benchmark. */
export interface KnownFigures {
  readonly method: Method;
  readonly benchmark: string;
  readonly options: OpenBenchmarkOptions;
  readonly figures: Figures;
  /** By group, such as a category. */
  readonly groups?: Readonly<Record<string, Figures>>;
  /** The largest difference that counts as none, in points of percent. */
  readonly tolerance: number;
  readonly source: string;
  /** Of the benchmark's queries and galleries, in hex, where it is known. */
  readonly sha256?: string;
}

export interface PublishedFigures extends KnownFigures {
  /** The name of the phi's preset. */
  readonly phi: string;
}

export interface ComparedFigure {
  /** A metric, or a group and a metric. */
  readonly what: string;
  readonly known: number;
  /** Undefined if the benchmark keeps its answers secret. */
  readonly here?: number;
  readonly bound: number;
  readonly isSame?: boolean;
}

const issue = (number: number) => `https://github.com/navervision/lincir/issues/${number}`;

/** Of the file that LinCIR's authors released for their demo. A new figure is an entry here. */
export const publishedFigures: readonly PublishedFigures[] = [
  {
    phi: 'lincir-large',
    method: 'lincir',
    benchmark: 'circo',
    options: { split: 'test' },
    figures: { 'mAP@5': 12.75, 'mAP@10': 13.63, 'mAP@25': 14.99, 'mAP@50': 15.9 },
    tolerance: 0.3,
    source: issue(8),
  },
  {
    phi: 'lincir-large',
    method: 'lincir',
    benchmark: 'cirr',
    options: { split: 'test1' },
    figures: {
      ...{ 'R@1': 25.398, 'R@5': 53.301, 'R@10': 67.036 },
      ...{ 'subset R@1': 56.241, 'subset R@2': 76.94, 'subset R@3': 88.578 },
    },
    tolerance: 0.3,
    source: issue(8),
  },
  {
    phi: 'lincir-large',
    method: 'lincir',
    benchmark: 'fashioniq',
    options: { split: 'val' },
    figures: { 'R@10': 26.1, 'R@50': 46.25 },
    groups: {
      shirt: { 'R@10': 28.66, 'R@50': 47.11 },
      dress: { 'R@10': 20.67, 'R@50': 42.34 },
      toptee: { 'R@10': 28.96, 'R@50': 49.31 },
    },
    tolerance: 0.3,
    source: issue(8),
  },
  {
    phi: 'lincir-large',
    method: 'lincir',
    benchmark: 'genecis',
    options: { only: ['change_attribute'] },
    figures: { 'R@1': 16.05, 'R@2': 28.22, 'R@3': 36.74 },
    tolerance: 0.5,
    source: issue(10),
  },
];

/** Two runs of one phi on one benchmark differ by few ranks: a query of 2,000 is 0.05 points. */
const ownTolerance = 0.3;

/** The figures of an earlier run, to compare a later one with. Throws LincirError 'bad-argument' if it did not measure all. */
export function figuresOf(results: Results, source: string): KnownFigures {
  const { benchmark, options, methods, sha256, limit } = results;
  const measured = methods.find(({ name }) => name === 'lincir');
  if (measured === undefined || limit !== null) {
    throw new LincirError('bad-argument', {
      subject: source,
      expected: 'results of the method lincir for all queries',
      found: limit === null ? methods.map(({ name }) => name).join(', ') : `${limit} queries`,
    });
  }
  const { split, variant, only, anyVersion } = options;
  return {
    ...{ method: 'lincir', benchmark, tolerance: ownTolerance, source, sha256 },
    options: {
      split: typeof split === 'string' ? split : undefined,
      variant: typeof variant === 'string' ? variant : undefined,
      only: Array.isArray(only) ? only : undefined,
      anyVersion: anyVersion === true,
    },
    figures: Object.fromEntries(
      Object.entries(measured.figures).map(([metric, { value }]) => [metric, 100 * value]),
    ),
  };
}

/**
 * Known figures beside those of results; without results, alone.
 * @throws LincirError 'bad-argument' if the results lack one of them, or are of other annotations
 */
export function compareFigures(known: KnownFigures, results?: Results): ComparedFigure[] {
  if (results && known.sha256 !== undefined && results.sha256 !== known.sha256) {
    const subject = `${results.preset} in ${results.folder}`;
    throw new LincirError('bad-argument', {
      subject,
      expected: `the annotations of ${known.source}`,
      found: 'others of the same name',
    });
  }
  const measured = results?.methods.find(({ name }) => name === known.method);
  const compared = (what: string, value: number, found: number | undefined): ComparedFigure => {
    const row = { what, known: value, bound: known.tolerance };
    if (results === undefined) return row;
    if (found === undefined) {
      throw new LincirError('bad-argument', {
        subject: known.source,
        expected: `${known.benchmark} to have ${what}`,
        found: `none in ${results.preset}`,
      });
    }
    const here = 100 * found;
    return { ...row, here, isSame: Math.abs(here - value) <= known.tolerance };
  };
  return [
    ...Object.entries(known.figures).map(([metric, value]) =>
      compared(metric, value, measured?.figures[metric]?.value),
    ),
    ...Object.entries(known.groups ?? {}).flatMap(([group, figures]) =>
      Object.entries(figures).map(([metric, value]) =>
        compared(`${group} ${metric}`, value, measured?.groups[group]?.values[metric]),
      ),
    ),
  ];
}
