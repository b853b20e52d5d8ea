/** The miniature world's index as `lincir serve` shows it for a start, made once and kept in the cache folder. */

import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { loadClip } from '../clip/index.ts';
import { cacheFolder, exclusively, statOf, writeJsonFile } from '../files/index.ts';
import { openIndex } from '../indexing/index.ts';
import { buildBenchmark, drawImages, sceneSvg } from '../mini/index.ts';
import type { IndexToServe } from './options.ts';

interface DemoOptions {
  /** Default: lincir's cache folder. */
  readonly cache?: string;
  /** Images of the world. Default: 4,000. */
  readonly images?: number;
  readonly onProgress?: (progress: DemoProgress) => void;
  readonly signal?: AbortSignal;
}

export interface DemoProgress {
  readonly stage: 'waiting' | 'drawing' | 'indexing';
  readonly done: number;
  readonly total: number;
}

/** As `npm run demo` builds it. */
const world = { seed: 1, images: 4000, queriesPerImage: 0.15 };
/** Pixels: five times as many as the model sees, so that people see them sharp. */
const side = 320;

/**
 * The index of the miniature world with its phi. The first call draws and encodes its images, which takes some seconds;
 * one that was ended goes on. Of two processes, the second waits. Other drawings or another model make another index.
 * @throws LincirError 'io', and the signal's reason
 */
export async function demoIndex(options: DemoOptions = {}): Promise<IndexToServe & { readonly phi: string }> {
  const { cache = cacheFolder(), images = world.images, onProgress, signal } = options;
  const { gallery } = buildBenchmark(world.seed, {
    gallery: images,
    queries: Math.floor(images * world.queriesPerImage),
  });
  const clip = await loadClip('mini', { signal });
  try {
    const drawings = createHash('sha256').update(`${side} ${clip.fingerprint}`);
    for (const { scene, variant } of gallery) drawings.update(sceneSvg(scene, side, variant));
    const folder = join(cache, `demo-${drawings.digest('hex').slice(0, 16)}`);
    const uri = join(folder, 'demo.lance');
    const made = { name: 'demo', uri, phi: 'mini' };
    const mark = join(folder, 'complete.json');
    if (await statOf(mark)) return made;
    onProgress?.({ stage: 'waiting', done: 0, total: gallery.length });
    await exclusively(join(folder, '.lock'), signal, async () => {
      if (await statOf(mark)) return;
      const drawn = join(folder, 'images');
      await drawImages(drawn, gallery, {
        ...{ side, keepsFiles: true, signal },
        onProgress: (done) => onProgress?.({ stage: 'drawing', done, total: gallery.length }),
      });
      const index = await openIndex(uri, { access: 'write', clip });
      try {
        for await (const event of index.add(clip, { images: [drawn], signal })) {
          if (event.kind !== 'progress') continue;
          onProgress?.({ stage: 'indexing', done: event.done, total: gallery.length });
        }
      } finally {
        await index.close();
      }
      await writeJsonFile(mark, { images: gallery.length });
    });
    return made;
  } finally {
    await clip.dispose();
  }
}
