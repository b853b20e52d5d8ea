/** `lincir mini`: writes the miniature world's benchmark as files. */

import { formatCounted } from '../../core/index.ts';
import { aloneIn } from '../../files/index.ts';
import { buildBenchmark, miniImages, writeMiniBenchmark } from '../../mini/index.ts';
import type { Context } from '../context.ts';

interface MiniOptions {
  readonly images: number;
  readonly queries: number;
  readonly seed: number;
}

export async function mini(
  folder: string,
  { images, queries, seed }: MiniOptions,
  { reporter, signal }: Context,
): Promise<void> {
  const benchmark = buildBenchmark(seed, { gallery: images, queries });
  reporter.begin({ label: 'drawing', unit: 'images', total: images });
  const onProgress = (done: number) => reporter.advance(done);
  await aloneIn(folder, () => writeMiniBenchmark(folder, benchmark, { onProgress, signal }));
  reporter.end();
  reporter.note(`${formatCounted(images, 'images')} → ${folder}/${miniImages}`);
  reporter.note(`${formatCounted(queries, 'queries')}, for lincir eval mini, circo and cirr`);
}
