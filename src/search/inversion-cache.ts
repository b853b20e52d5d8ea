/** Textual inversion that remembers: pseudo tokens are kept on disk as they are found, and taken from there later. */

import type { Float32Tensor } from '../core/index.ts';
import { VectorCache } from '../files/index.ts';
import { checkedInversion, type InvertOptions, invert, invertedBatches } from '../phi/index.ts';

export interface InvertCachedOptions extends InvertOptions {
  /** A folder; absent: nothing is kept. Models of one width, prompts and settings may share it. */
  readonly cache?: string;
  /** A key stands for one image as it is embedded: its content and its preprocessing. The same key, the same result. */
  readonly keys: readonly string[];
}

/**
 * `invert` for what the cache does not have yet, which is added a batch at a time: whatever ends the process, all finished
 * batches are there the next time. `onProgress` is first told how many were found.
 * @returns pseudo tokens [n, width]
 * @throws what `invert` and `VectorCache` throw
 */
export async function invertCached(options: InvertCachedOptions): Promise<Float32Tensor> {
  const { cache: folder, ...inversion } = options;
  if (folder === undefined) return await invert(inversion);
  const { clip, embeddings, keys, onProgress } = inversion;
  const { width, projection } = clip.textConfig;
  const { settings } = checkedInversion(inversion);
  // All that a pseudo token depends on.
  const cacheKeys = keys.map((key) => JSON.stringify([key, clip.fingerprint, settings]));
  const cache = await VectorCache.open(folder, width);
  const rowOf = new Map(cacheKeys.map((key, row) => [key, row])); // a key that comes twice is inverted once
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
