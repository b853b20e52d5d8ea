/** Decodes images of all formats within bounds of memory and time, as Pillow's `convert("RGB")` does where it can. */

import sharp, { type Sharp } from 'sharp';
import { LincirError } from '../core/index.ts';
import {
  checkedPixels,
  type DecodeWindow,
  defaultMaxPixels,
  type ImageSource,
  isPixels,
  type RgbImage,
} from '../pixels/index.ts';
import { type DecodeWork, decodeHere, type Wanted } from './decode-here.ts';
import { decodeInProcess } from './decoder-process.ts';
import { formatOf, formatsText } from './format.ts';
import { withMemory } from './memory-budget.ts';
import { rawPreview } from './raw-preview.ts';
import { type EncodedImage, imageBytes, notAnImage } from './source.ts';
import {
  damageIn,
  isQuickFormat,
  openedByVips,
  type VipsOpened,
  vipsFitted,
  vipsUpright,
} from './vips-decode.ts';

/**
 * An image's stored pixels, and how to turn them upright. Formats: JPEG, PNG, WebP, GIF,
 * TIFF, AVIF, SVG, HEIC, JPEG 2000, JPEG XL, BMP and the previews in cameras' raw images, whatever the file's name
 * ends in. Of an animation, the first frame. Colour profiles are ignored. Transparency is dropped, not blended, so the
 * colour stored under it shows (black in a GIF). 16 bits are cut to their upper 8, where Pillow turns 16-bit grey white.
 *
 * @param name name in errors of an image without a path
 * @throws LincirError `not-found`, `io`, or `bad-file` for what is not a whole image of at most `maxPixels`
 */
export async function decodeImage(source: ImageSource, name: string, maxPixels: number): Promise<RgbImage> {
  if (isPixels(source)) return checkedPixels(source, name);
  return await decoded(await imageBytes(source, name), { kind: 'pixels' }, maxPixels);
}

/** The window of an image that the vision tower sees. */
export const decodeWindow: DecodeWindow = async (source, window, name, maxPixels) =>
  await decoded(await imageBytes(source, name), { kind: 'window', window }, maxPixels);

/**
 * An image to show: upright, with its transparency. It may be scaled down, but its longer side is not below `side`.
 * Throws as `decodeImage` does.
 */
export function shownImage(source: string | Uint8Array, side: number): Promise<Sharp> {
  return shown(source, side, vipsUpright);
}

/** The same, fitted into a square of this side. A larger image is scaled down, a smaller one stays as it is. */
export function fittedImage(source: string | Uint8Array, side: number): Promise<Sharp> {
  return shown(source, side, (opened) => vipsFitted(opened, side));
}

async function shown(
  source: string | Uint8Array,
  side: number,
  quickly: (opened: VipsOpened) => Sharp,
): Promise<Sharp> {
  const given = await imageBytes(source, 'image');
  const work = { ...knownImage(given), maxPixels: defaultMaxPixels };
  const opened = isQuickFormat(work.format) ? await openedByVips(work, false) : undefined;
  if (opened?.isQuick) return quickly(opened);
  const wanted = { kind: 'small', side } as const;
  const { data, width, height } = await decoded(given, wanted, defaultMaxPixels);
  return sharp(data, { raw: { width, height, channels: 4 } });
}

/** An image's format by its contents; for a camera's raw file, its preview. */
function knownImage({
  bytes,
  name,
}: EncodedImage): Pick<DecodeWork, 'bytes' | 'format' | 'name' | 'orientation'> {
  const format = formatOf(bytes);
  if (format === undefined) {
    throw new LincirError('bad-file', {
      subject: name,
      expected: `a whole image (${formatsText})`,
      found: 'an unsupported image format',
    });
  }
  if (format !== 'raw') return { bytes, format, name };
  const preview = rawPreview(bytes);
  if (preview === undefined) throw notAnImage(name, "a camera's raw image without a preview");
  const { jpeg, orientation } = preview;
  return { bytes: jpeg, format: 'jpeg', name, orientation };
}

async function decoded(given: EncodedImage, wanted: Wanted, maxPixels: number): Promise<RgbImage> {
  const { bytes, name } = given;
  const work = { ...knownImage(given), maxPixels, wanted };
  try {
    const opened = isQuickFormat(work.format) ? await openedByVips(work, true) : undefined;
    if (!opened?.isQuick) return await decodeInProcess(work, opened?.cost);
    return await withMemory(bytes.length + opened.cost, () => decodeHere(work, opened));
  } catch (cause) {
    if (cause instanceof LincirError) throw cause;
    throw notAnImage(name, damageIn(cause), cause);
  }
}
