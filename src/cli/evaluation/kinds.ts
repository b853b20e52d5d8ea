/** All benchmarks, for the commands that offer them; loading them would slow down the start of all others. */

import type { BenchmarkKind } from '../../benchmarks/index.ts';

const offering = ['eval', 'score', 'submit'];

export const benchmarkKinds: readonly BenchmarkKind[] = process.argv.some((word) => offering.includes(word))
  ? (await import('../../benchmarks/choices.ts')).benchmarkKinds
  : [];
