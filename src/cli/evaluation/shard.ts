/** `lincir eval --shard`: embeds one share of a benchmark's images into the cache, where a run without it finds them. */

import { type Benchmark, embedImages } from '../../benchmarks/index.ts';
import type { Clip } from '../../clip/index.ts';
import { formatCount, formatCounted } from '../../core/index.ts';
import { cacheFolder } from '../../files/index.ts';
import { isOfShard, shardName, type WorkShard } from '../../pictures/index.ts';
import { type Context, Warnings } from '../context.ts';

interface ShardOptions {
  readonly shard: WorkShard;
  readonly cache?: string;
  readonly maxPixels?: number;
  readonly json?: boolean;
}

/** Disposes of the model. */
export async function embedShard(
  benchmark: Benchmark,
  clip: Clip,
  { shard, cache = cacheFolder(), maxPixels, json }: ShardOptions,
  { reporter, signal, print }: Context,
): Promise<void> {
  const images = benchmark.images.filter(({ path }) => isOfShard(path, shard));
  const problems = new Warnings(reporter, 'images are missing or broken');
  try {
    const { encoded } = await embedImages({ ...benchmark, images }, clip, {
      ...{ cache, maxPixels, signal },
      onProgress: (label, done, total) => reporter.progress({ label, unit: 'images', total }, done),
      onProblem: ({ path, reason }) => problems.add(`${path}: ${reason}`),
    });
    reporter.end();
    const name = shardName(shard);
    if (json) print(JSON.stringify({ shard: name, images: images.length, encoded, cache }));
    else {
      reporter.note(
        `shard ${name}: ${formatCounted(images.length, 'images')}, ${formatCount(encoded)} of them encoded now → ${cache}`,
      );
    }
  } finally {
    problems.finish();
    await clip.dispose();
  }
}
