/** Encodes preprocessed images for an index: directions of length 1, and the length that CLIP gave them. */

import type { Clip } from '../clip/index.ts';
import { normalizeRows } from '../core/index.ts';
import type { StoredImage } from '../store/index.ts';

/** Why an image is broken that the model cannot take. */
export const notFinite = 'expected an embedding of finite numbers, found others: the model cannot take it';

/**
 * An embedding for each image, in order; undefined where it would not be finite.
 * @param pixels each [3, height, width]
 */
export async function embeddingsOf(
  clip: Clip,
  pixels: readonly Float32Array[],
): Promise<(Pick<StoredImage, 'vector' | 'norm'> | undefined)[]> {
  if (pixels.length === 0) return [];
  const size = pixels[0]!.length;
  const all = new Float32Array(pixels.length * size);
  pixels.forEach((image, at) => {
    all.set(image, at * size);
  });
  const { data, shape } = await clip.encodePixels(all);
  const dimensions = shape[1]!;
  return pixels.map((_, at) => {
    const vector = data.slice(at * dimensions, (at + 1) * dimensions);
    if (!vector.every(Number.isFinite) || vector.every((value) => value === 0)) return undefined;
    const norm = Math.hypot(...vector);
    normalizeRows(vector, dimensions);
    return { vector, norm };
  });
}
