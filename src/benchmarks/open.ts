/** Opens benchmarks by name. */

import { LincirError, quoted } from '../core/index.ts';
import { pathOnDisk, pathsOnDisk } from '../files/index.ts';
import type { Benchmark, BenchmarkImage, BenchmarkKind, OpenBenchmarkOptions } from './benchmark.ts';
import { benchmarkKinds } from './choices.ts';

/**
 * Opens a benchmark in its official layout; see docs/evaluation.md. Names of images match in every form of Unicode.
 * @throws LincirError as `kindNamed` and the kind's `open`
 */
export async function openBenchmark(
  name: string,
  folder: string,
  options: OpenBenchmarkOptions = {},
): Promise<Benchmark> {
  return await openKind(kindNamed(name), folder, options);
}

/** Opens a benchmark of a kind. Throws as its `open` does. */
export async function openKind(
  kind: BenchmarkKind,
  folder: string,
  options: OpenBenchmarkOptions = {},
): Promise<Benchmark> {
  const benchmark = await kind.open(await pathOnDisk(folder), options);
  const onDisk = pathsOnDisk();
  const images: BenchmarkImage[] = [];
  for (const image of benchmark.images) images.push({ ...image, path: await onDisk(image.path) });
  return { ...benchmark, images };
}

/** Throws LincirError 'bad-argument' for an unknown name. */
export function kindNamed(name: string): BenchmarkKind {
  const kind = benchmarkKinds.find((known) => known.name === name);
  if (kind !== undefined) return kind;
  throw new LincirError('bad-argument', {
    subject: 'benchmark',
    expected: benchmarkKinds.map((known) => known.name).join(', '),
    found: quoted(name),
  });
}
