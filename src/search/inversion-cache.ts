/** Textual inversion with a cache of pseudo tokens on disk. */

import type { Float32Tensor } from '../core/index.ts';
import { VectorCache } from '../files/index.ts';
import { checkedInversion, type InvertOptions, invert, invertedBatches } from '../phi/index.ts';

export interface InvertCachedOptions extends InvertOptions {
  /** The cache's folder; absent: no cache. Models of one width, prompts and settings may share it. */
  readonly cache?: string;
  /** A key stands for an image's content and preprocessing. The same key gives the same result. */
  readonly keys: readonly string[];
}

/**
 * Runs `invert` for images that the cache lacks, and adds each finished batch to it, so that an interruption loses no
 * finished batch. `onProgress` first gets the number found in the cache.
 * @returns pseudo tokens [n, width]
 * @throws what `invert` and `VectorCache` throw
 */
export async function invertCached(options: InvertCachedOptions): Promise<Float32Tensor> {
  const { cache: folder, ...inversion } = options;
  if (folder === undefined) return await invert(inversion);
  const { clip, embeddings, keys, onProgress } = inversion;
  const { width, projection } = clip.textConfig;
  const { settings } = checkedInversion(inversion);
  // Everything that a pseudo token depends on.
  const cacheKeys = keys.map((key) => JSON.stringify([key, clip.fingerprint, settings]));
  const cache = await VectorCache.open(folder, width);
  const rowOf = new Map(cacheKeys.map((key, row) => [key, row])); // a repeated key is inverted once
  const missing = [...rowOf].filter(([key]) => !cache.has(key));
  const known = keys.length - missing.length;
  onProgress?.(known);
  const given = new Float32Array(missing.length * projection);
  for (const [at, [, row]] of missing.entries()) {
    given.set(embeddings.data.subarray(row * projection, (row + 1) * projection), at * projection);
  }
  const batches = invertedBatches({
    ...inversion,
    embeddings: { shape: [missing.length, projection], data: given },
    keys: missing.map(([, row]) => keys[row]!),
    onProgress: onProgress && ((done: number) => onProgress(known + done)),
  });
  for await (const { members, vectors } of batches) {
    await cache.add(
      members.map((member) => missing[member]![0]),
      vectors,
    );
  }
  const data = new Float32Array(keys.length * width);
  await cache.read(
    [...cacheKeys.entries()].map(([row, key]) => [key, row] as const),
    data,
  );
  return { shape: [keys.length, width], data };
}
