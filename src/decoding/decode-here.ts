/** Decodes one image in the calling process, with the library that can. */

import sharp from 'sharp';
import { type RgbImage, type Window, windowOf } from '../pixels/index.ts';
import type { ImageFormat } from './format.ts';
import { isForMagick, magickPixels } from './magick-decode.ts';
import { openedByVips, type VipsOpened, vipsPixels, vipsSmall } from './vips-decode.ts';

/** What to make of an image. */
export type Wanted =
  | { readonly kind: 'pixels' }
  | { readonly kind: 'window'; readonly window: Window }
  /** RGBA, upright, fitted into a square of this side. */
  | { readonly kind: 'small'; readonly side: number };

/** Plain data: it goes to other processes. */
export interface DecodeWork {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly format: Exclude<ImageFormat, 'raw'>;
  /** The image's name in errors. */
  readonly name: string;
  /** Orientation from the file around the image, besides the image's own. */
  readonly orientation?: number;
  readonly maxPixels: number;
  readonly wanted: Wanted;
}

/**
 * @param opened the header, if it has been read already
 * @throws LincirError 'bad-file' for too many pixels, and whatever the libraries throw
 */
export async function decodeHere(work: DecodeWork, opened?: VipsOpened): Promise<RgbImage> {
  const { format, wanted } = work;
  if (wanted.kind === 'small') return await small(work, wanted.side);
  const image = isForMagick(format)
    ? await magickPixels({ ...work, format }, 3)
    : await vipsPixels(opened ?? (await openedByVips(work, true)));
  return wanted.kind === 'window' ? windowOf(image, wanted.window) : image;
}

async function small(work: DecodeWork, side: number): Promise<RgbImage> {
  const { format } = work;
  if (!isForMagick(format)) return await vipsSmall(await openedByVips(work, false), side);
  const { data, width, height } = await magickPixels({ ...work, format }, 4);
  const image = sharp(data, { raw: { width, height, channels: 4 }, limitInputPixels: false });
  const shrunk = image.resize({ width: side, height: side, fit: 'inside', withoutEnlargement: true });
  const { data: pixels, info } = await shrunk.raw().toBuffer({ resolveWithObject: true });
  return { data: pixels, width: info.width, height: info.height };
}
