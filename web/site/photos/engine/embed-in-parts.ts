/** Embeds pictures together, or in smaller and smaller parts where memory does not suffice. */

import { LincirError } from '../../../../src/core/index.ts';

/** [pictures, 3, height, width] to their embeddings, one after the other. */
export type Embed = (pixels: Float32Array) => Promise<Float32Array>;

/** @throws what `embed` throws for a single picture, or for another reason than the device */
export async function embedInParts(
  pictures: readonly Float32Array[],
  embed: Embed,
): Promise<{ readonly rows: readonly Float32Array[]; readonly atOnce: number }> {
  const count = pictures.length;
  const [{ length }] = pictures as readonly [Float32Array];
  const pixels = new Float32Array(count * length);
  for (const [at, picture] of pictures.entries()) pixels.set(picture, at * length);
  try {
    const embeddings = await embed(pixels);
    const dimensions = embeddings.length / count;
    const rows = pictures.map((_, at) => embeddings.slice(at * dimensions, (at + 1) * dimensions));
    return { rows, atOnce: count };
  } catch (error) {
    if (count === 1 || !(error instanceof LincirError && error.code === 'device')) throw error;
    const half = Math.ceil(count / 2);
    const first = await embedInParts(pictures.slice(0, half), embed);
    const second = await embedInParts(pictures.slice(half), embed);
    return { rows: [...first.rows, ...second.rows], atOnce: Math.min(first.atOnce, half) };
  }
}
