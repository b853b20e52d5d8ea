/** Images as 8-bit RGB pixels, what they may come from, and the contract of what decodes them. */

import { LincirError } from '../core/index.ts';
import type { Window } from './window.ts';

/** 8-bit RGB pixels, row-major, three bytes per pixel: [height, width, 3]. */
export interface RgbImage {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
  /** How to turn these pixels upright: 1 to 8, as in EXIF. Absent: they are upright. */
  readonly orientation?: number;
  /** Size of the image of which these pixels are a window, upright unless the window is as stored. */
  readonly whole?: { readonly width: number; readonly height: number };
}

/** An encoded image: its bytes, a `file:` or `data:` URL, or a path. A browser has no paths. */
export type EncodedSource = string | URL | Uint8Array | ArrayBuffer | Blob;

/** An encoded image, or pixels. */
export type ImageSource = EncodedSource | RgbImage;

/**
 * Decodes an image, and returns the window's pixels. `#decode` names the machine's own decoder.
 * @param name name in errors of an image without a path
 * @throws LincirError 'not-found', 'io', or 'bad-file' for what is not a whole image of at most `maxPixels`
 */
export type DecodeWindow = (
  source: EncodedSource,
  window: Window,
  name: string,
  maxPixels: number,
) => Promise<RgbImage>;

/** Room for the largest phone photos (200 megapixels), 600 MB once decoded. */
export const defaultMaxPixels = 200_000_000;

export function isPixels(source: ImageSource): source is RgbImage {
  return typeof source === 'object' && 'data' in source;
}

/** Throws LincirError 'bad-argument' for inconsistent pixels. */
export function checkedPixels(image: RgbImage, name: string): RgbImage {
  const { data, width, height } = image;
  const whole = Number.isSafeInteger(width) && Number.isSafeInteger(height) && width > 0 && height > 0;
  if (whole && data.length === width * height * 3) return image;
  throw new LincirError('bad-argument', {
    subject: name,
    expected: 'pixels of 3 bytes each, width x height of them',
    found: `${data.length} bytes for ${width} x ${height}`,
  });
}
