/** Decodes images as the browser does. `#decode` names this file there. */

import { LincirError, option, unquoted } from '../core/index.ts';
import { formatOf, type ImageFormat, rawPreview } from '../decoding/portable.ts';
import {
  checkedPixels,
  type DecodeWindow,
  type EncodedSource,
  type Extent,
  type ImageSource,
  isPixels,
  type RgbImage,
  windowOf,
} from '../pixels/index.ts';
import { bare, sizeInHeader } from './header.ts';
import { pixelsOf } from './pixels.ts';
import { bytesOf, nameOf, notAnImage } from './source.ts';

/**
 * The window of an image that the vision tower sees. Colour profiles are ignored, and transparency is dropped, not blended.
 * @throws LincirError 'bad-file' for what the browser cannot decode, 'io', and 'bad-argument' for a path
 */
export const decodeWindow: DecodeWindow = async (source, window, name, maxPixels) =>
  windowOf(await decoded(source, name, maxPixels), window);

/** An image's stored pixels, and how to turn them upright. Throws as `decodeWindow` does. */
export async function decodeImage(source: ImageSource, name: string, maxPixels: number): Promise<RgbImage> {
  if (isPixels(source)) return checkedPixels(source, name);
  return await decoded(source, name, maxPixels);
}

/** Nobody waits longer for a picture. */
const mostSeconds = 60;
/** What all browsers decode: of others, they may know none. */
const common: readonly ImageFormat[] = ['jpeg', 'png', 'gif', 'webp', 'bmp'];

async function decoded(source: EncodedSource, given: string, maxPixels: number): Promise<RgbImage> {
  const name = nameOf(source, given);
  const file = await bytesOf(source, name);
  const { bytes, format, around } = pictureIn(file, name);
  expectWhole(bytes, format, name);
  expectPixels(sizeInHeader(bytes), maxPixels, name);
  const { parts, orientation = around } = bare(bytes, format);
  const pending = bitmapOf(parts, format);
  const bitmap = await within(mostSeconds, pending).catch((cause: unknown) => {
    void pending.then((late) => late.close()).catch(() => {});
    const message = messageOf(cause);
    throw common.includes(format)
      ? notAnImage(name, message, cause)
      : notAnImage(
          name,
          `${format.toUpperCase()}, which this browser cannot decode`,
          cause,
          'save it as JPEG or PNG first',
        );
  });
  try {
    expectPixels(bitmap, maxPixels, name);
    const pixels = await pixelsOf(bitmap, format === 'jpeg').catch((cause: unknown) => {
      const found = `${bitmap.width} x ${bitmap.height} pixels, and no memory for them (${messageOf(cause)})`;
      throw notAnImage(name, found, cause, 'shrink it, or close other tabs and programs');
    });
    return orientation === undefined ? pixels : { ...pixels, orientation };
  } finally {
    bitmap.close();
  }
}

function messageOf(cause: unknown): string {
  return unquoted(cause instanceof Error ? cause.message : String(cause), 200);
}

function bitmapOf(parts: readonly BlobPart[], format: ImageFormat): Promise<ImageBitmap> {
  const blob = new Blob([...parts], { type: format === 'svg' ? 'image/svg+xml' : `image/${format}` });
  return createImageBitmap(blob, { colorSpaceConversion: 'none', premultiplyAlpha: 'none' });
}

/** The file, or a camera's raw file's preview, and how that file says to turn it. */
function pictureIn(bytes: Uint8Array<ArrayBuffer>, name: string) {
  if (bytes.length === 0) throw notAnImage(name, 'an empty file');
  const format = formatOf(bytes);
  if (format === undefined) throw notAnImage(name, 'an unsupported image format');
  if (format !== 'raw') return { bytes, format, around: undefined };
  const preview = rawPreview(bytes);
  if (preview === undefined) throw notAnImage(name, "a camera's raw image without a preview");
  return { bytes: preview.jpeg, format: 'jpeg' as const, around: preview.orientation };
}

/** Browsers show the part of a picture that is there, and do not say that some is missing. */
function expectWhole(bytes: Uint8Array<ArrayBuffer>, format: ImageFormat, name: string): void {
  const isWhole =
    format === 'jpeg'
      ? hasLast(bytes, [0xff, 0xd9])
      : format === 'png'
        ? hasLast(bytes, [0x49, 0x45, 0x4e, 0x44]) // IEND
        : format !== 'webp' ||
          new DataView(bytes.buffer, bytes.byteOffset).getUint32(4, true) + 8 <= bytes.length;
  if (!isWhole) throw notAnImage(name, 'a part of one: its end is missing');
}

/** Looks from the end on, where it should be. */
function hasLast(bytes: Uint8Array, wanted: readonly [number, ...number[]]): boolean {
  for (let at = bytes.lastIndexOf(wanted[0]); at > 0; at = bytes.lastIndexOf(wanted[0], at - 1)) {
    if (wanted.every((byte, offset) => bytes[at + offset] === byte)) return true;
  }
  return false;
}

function expectPixels(size: Extent | undefined, maxPixels: number, name: string): void {
  if (!size || size.width * size.height <= maxPixels) return;
  throw new LincirError('bad-file', {
    subject: name,
    expected: `an image of at most ${maxPixels} pixels`,
    found: `a header that claims ${size.width} x ${size.height}`,
    todo: `shrink the image, or raise ${option<{ maxPixels: number }>('maxPixels')} if memory allows (7 bytes per pixel)`,
  });
}

async function within<Result>(seconds: number, work: Promise<Result>): Promise<Result> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no end after ${seconds} seconds`)), seconds * 1000);
  });
  return await Promise.race([work, late]).finally(() => clearTimeout(timer));
}
