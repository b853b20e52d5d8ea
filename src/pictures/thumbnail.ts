/** Makes thumbnails for pages and terminals. */

import type { Sharp } from 'sharp';
import { fittedImage, shownImage } from '../decoding/index.ts';

/**
 * An image to embed in a page: upright, on white, fitted into a square.
 * @param picture a path or an encoded image's bytes
 * @param side of the square, in pixels
 * @returns JPEG; undefined if the image cannot be read
 */
export async function thumbnailOf(picture: string | Uint8Array, side = 320): Promise<Uint8Array | undefined> {
  return await encodedThumbnail(picture, side).catch(() => undefined);
}

/** The same. Throws as `decodeImage` does, and what libvips throws for a damaged image. */
export async function encodedThumbnail(
  picture: string | Uint8Array,
  side: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const image = await fittedImage(picture, side);
  // WebP would save a tenth of the bytes, and take twice the time.
  return new Uint8Array(await image.flatten({ background: 'white' }).jpeg({ quality: 80 }).toBuffer());
}

/** Applies `change` to the upright image on white, and encodes it. Undefined if the image cannot be read. */
export async function shrunkImage(
  picture: string | Uint8Array,
  change: (image: Sharp) => Sharp,
): Promise<Uint8Array | undefined> {
  try {
    const image = await shownImage(picture, mostSide);
    return await change(image.flatten({ background: 'white' })).toBuffer();
  } catch {
    return undefined;
  }
}

/** Pixels of the longer side: enough for all uses of thumbnails. */
const mostSide = 2048;
