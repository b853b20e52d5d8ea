/** Decodes images as the browser does. `#decode` names this file there. */

import { LincirError } from '../core/index.ts';
import {
  checkedPixels,
  type DecodeWindow,
  type EncodedSource,
  type ImageSource,
  isPixels,
  type RgbImage,
  windowOf,
} from '../pixels/index.ts';

/** The window of an image that the vision tower sees. Throws LincirError 'bad-file' for what the browser cannot decode. */
export const decodeWindow: DecodeWindow = async (source, window, name, maxPixels) =>
  windowOf(await decodeImage(source, name, maxPixels), window);

/** An image's pixels, upright. Throws as `decodeWindow` does. */
export async function decodeImage(source: ImageSource, name: string, maxPixels: number): Promise<RgbImage> {
  if (isPixels(source)) return checkedPixels(source, name);
  const blob = await blobOf(source, name);
  const bitmap = await createImageBitmap(blob, {
    colorSpaceConversion: 'none',
    premultiplyAlpha: 'none',
  }).catch((cause: unknown) => {
    throw notAnImage(name, 'what this browser cannot decode', cause);
  });
  try {
    const { width, height } = bitmap;
    if (width * height > maxPixels) throw notAnImage(name, `${width} x ${height} pixels`);
    return pixelsOf(bitmap);
  } finally {
    bitmap.close();
  }
}

async function blobOf(source: EncodedSource, name: string): Promise<Blob> {
  if (source instanceof Blob) return source;
  if (source instanceof URL || typeof source === 'string') {
    throw new LincirError('bad-argument', {
      subject: name,
      expected: 'bytes, a Blob or pixels: a browser reads no paths',
      found: `${source}`.slice(0, 200),
    });
  }
  return new Blob([source as BlobPart]);
}

function pixelsOf(bitmap: ImageBitmap): RgbImage {
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true })!;
  context.drawImage(bitmap, 0, 0);
  const { data: four } = context.getImageData(0, 0, width, height);
  const data = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; from < four.length; from += 4, to += 3) {
    data[to] = four[from]!;
    data[to + 1] = four[from + 1]!;
    data[to + 2] = four[from + 2]!;
  }
  return { data, width, height };
}

function notAnImage(subject: string, found: string, cause?: unknown): LincirError {
  return new LincirError('bad-file', { subject, expected: 'a whole image', found, cause });
}
