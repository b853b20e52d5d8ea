/** Decodes an image file or buffer to upright 8-bit RGB, as Pillow's `exif_transpose` and `convert("RGB")` do. */

import { access, constants, stat } from 'node:fs/promises';
import sharp, { type Metadata, type Sharp } from 'sharp';
import { LincirError } from '../core/index.ts';
import type { RgbImage } from './resample.ts';

/** A path, an encoded image's bytes, or decoded pixels. */
export type ImageSource = string | Uint8Array | RgbImage;

/** Room for the largest phone photos (200 megapixels), 600 MB once decoded. */
export const defaultMaxPixels = 200_000_000;

/**
 * Formats: JPEG, PNG, WebP, GIF, TIFF, AVIF and SVG, whatever the file's name ends in. Of an animation, the first
 * frame. EXIF orientation is applied; a colour profile is ignored; transparency is dropped, not blended, so the
 * colour stored under it shows (black in a GIF); 16 bits are cut to their upper 8, where Pillow turns 16-bit grey white.
 *
 * @param name what errors call an image that has no path
 * @throws LincirError `not-found`, `io`, or `bad-file` for what is not a whole image of at most `maxPixels`
 */
export async function decodeImage(source: ImageSource, name: string, maxPixels: number): Promise<RgbImage> {
  if (typeof source !== 'string' && !(source instanceof Uint8Array)) return checkedPixels(source, name);
  if (typeof source === 'string') await checkFile(source);
  else if (source.length === 0) throw notAnImage(name, 'no bytes');
  const subject = typeof source === 'string' ? source : name;
  try {
    // Sharp's own pixel limit could not name the size; 'error' refuses truncated files but not harmless warnings.
    const image = sharp(source, {
      autoOrient: true,
      ignoreIcc: true,
      failOn: 'error',
      limitInputPixels: false,
    });
    const header = await image.metadata();
    checkSize(header, maxPixels, subject);
    return await (header.space === 'cmyk' ? cmykPixels(image) : rgbPixels(image));
  } catch (cause) {
    if (cause instanceof LincirError) throw cause;
    throw notAnImage(subject, damageIn(cause), cause);
  }
}

/** libvips keeps its messages for all threads together, so that one of several failures can come without. */
function damageIn(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause);
  return message === 'Unknown error' ? 'damaged data' : message;
}

async function rgbPixels(image: Sharp): Promise<RgbImage> {
  return pixelsOf(image.removeAlpha().toColourspace('srgb'), 3);
}

/** Pillow's plain formula, channel = (255 - ink)(255 - black) / 255, where libvips would go by a printer's profile. */
async function cmykPixels(image: Sharp): Promise<RgbImage> {
  const flat = image.removeAlpha().pipelineColourspace('cmyk').toColourspace('cmyk');
  const { data: inks, width, height } = await pixelsOf(flat, 4);
  const data = new Uint8Array(width * height * 3);
  for (let pixel = 0; pixel < width * height; pixel++) {
    const light = 255 - inks[pixel * 4 + 3]!;
    for (let channel = 0; channel < 3; channel++) {
      data[pixel * 3 + channel] = light - Math.round((inks[pixel * 4 + channel]! * light) / 255);
    }
  }
  return { data, width, height };
}

async function pixelsOf(image: Sharp, channels: number) {
  const { data, info } = await image.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
  if (info.channels !== channels) throw new Error(`${info.channels} channels instead of ${channels}`);
  return { data, width: info.width, height: info.height };
}

async function checkFile(path: string): Promise<void> {
  try {
    const facts = await stat(path);
    if (!facts.isFile())
      throw notAnImage(path, facts.isDirectory() ? 'a folder' : 'something that is no file');
    if (facts.size === 0) throw notAnImage(path, 'an empty file');
    await access(path, constants.R_OK);
  } catch (cause) {
    if (cause instanceof LincirError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    const missing = code === 'ENOENT' || code === 'ENOTDIR';
    throw new LincirError(missing ? 'not-found' : 'io', {
      subject: path,
      expected: 'a readable image file',
      found: missing ? 'nothing there' : `error ${code}`,
      cause,
    });
  }
}

function checkSize({ width, height }: Metadata, maxPixels: number, subject: string): void {
  if (width * height <= maxPixels) return;
  throw new LincirError('bad-file', {
    subject,
    expected: `an image of at most ${maxPixels} pixels`,
    found: `a header that claims ${width} x ${height}`,
    todo: 'shrink the image, or raise the limit (maxPixels, --max-pixels) if memory allows (3 bytes per pixel)',
  });
}

function checkedPixels(image: RgbImage, name: string): RgbImage {
  const { data, width, height } = image;
  const whole = Number.isSafeInteger(width) && Number.isSafeInteger(height) && width > 0 && height > 0;
  if (whole && data.length === width * height * 3) return image;
  throw new LincirError('bad-argument', {
    subject: name,
    expected: 'pixels of 3 bytes each, width x height of them',
    found: `${data.length} bytes for ${width} x ${height}`,
  });
}

function notAnImage(subject: string, found: string, cause?: unknown): LincirError {
  return new LincirError('bad-file', {
    subject,
    expected: 'a whole image (JPEG, PNG, WebP, GIF, TIFF, AVIF or SVG)',
    found,
    cause,
  });
}
