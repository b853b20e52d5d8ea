/** Decodes with libvips: estimates memory and time, and returns the pixels. */

import sharp, { type Metadata, type Sharp } from 'sharp';
import { LincirError, option } from '../core/index.ts';
import type { RgbImage } from '../pixels/index.ts';
import type { DecodeWork } from './decode-here.ts';
import type { ImageFormat } from './format.ts';

/** Formats whose headers tell how long decoding takes. */
const quickFormats: ReadonlySet<ImageFormat> = new Set(['jpeg', 'png', 'webp', 'gif']);
/** 40 megapixels from most cameras, in at most a second. */
const quickBytes = 128_000_000;
/** Each scan of a JPEG goes through all its pixels. Programs write ten. */
const quickScans = 20;
/** Larger drawings are rendered smaller. */
const mostDrawnPixels = 4_000_000;

export function isQuickFormat(format: ImageFormat): boolean {
  return quickFormats.has(format);
}

/** An image whose header has been read. */
export interface VipsOpened {
  readonly image: Sharp;
  readonly header: Metadata;
  /** Besides the image's own orientation. */
  readonly orientation: number | undefined;
  /** Memory for decoding it in bytes, besides the encoded bytes. */
  readonly cost: number;
  /** Whether it takes so little that no limit is needed. */
  readonly isQuick: boolean;
}

/**
 * Reads an image's header.
 * @param ignoreIcc use the stored colours, and ignore a colour profile
 * @throws LincirError 'bad-file' if it has too many pixels, and what libvips throws
 */
export async function openedByVips(
  { bytes, format, maxPixels, name, orientation }: Omit<DecodeWork, 'wanted'>,
  ignoreIcc: boolean,
): Promise<VipsOpened> {
  // Sharp's own pixel limit could not name the size; 'error' refuses truncated files but not harmless warnings.
  const options = { ignoreIcc, failOn: 'error', limitInputPixels: false } as const;
  const image = sharp(bytes, options);
  const header = await image.metadata();
  checkPixels(header, maxPixels, name);
  const pixels = header.width * header.height;
  const cost = pixels * bytesPerPixel(header, format);
  const isQuick = isQuickFormat(format) && cost <= quickBytes && !(format === 'jpeg' && hasManyScans(bytes));
  const opened = { image, header, orientation, cost, isQuick };
  if (format !== 'svg' || pixels <= mostDrawnPixels) return opened;
  const density = pixelsPerInch * Math.sqrt(mostDrawnPixels / pixels);
  return { ...opened, image: sharp(bytes, { ...options, density }) };
}

export function checkPixels(
  { width, height }: { readonly width: number; readonly height: number },
  maxPixels: number,
  name: string,
): void {
  if (width * height <= maxPixels) return;
  throw new LincirError('bad-file', {
    subject: name,
    expected: `an image of at most ${maxPixels} pixels`,
    found: `a header that claims ${width} x ${height}`,
    todo: `shrink the image, or raise ${option<{ maxPixels: number }>('maxPixels')} if memory allows (3 bytes per pixel)`,
  });
}

/** libvips keeps its messages for all threads together, so one of several failures may lack its own. */
export function damageIn(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause);
  if (message === 'Unknown error') return 'damaged data';
  return message.length > mostOfMessage ? `${message.slice(0, mostOfMessage)}…` : message;
}

/** Shortens messages, because some parsers repeat their input. */
const mostOfMessage = 200;

/** RGB, as stored. */
export async function vipsPixels({ image, header, orientation: around }: VipsOpened): Promise<RgbImage> {
  const pixels = await (header.space === 'cmyk' ? cmykPixels(image) : rgbPixels(image));
  const { orientation = around } = header;
  return { ...pixels, orientation };
}

/** RGBA, upright and fitted into a square, to show. */
export async function vipsSmall(opened: VipsOpened, side: number): Promise<RgbImage> {
  return pixelsOf(vipsFitted(opened, side).toColourspace('srgb').ensureAlpha(), 4);
}

/** Upright and fitted into a square, to show. A JPEG is decoded no larger than it must be, which takes a tenth of the time. */
export function vipsFitted({ image, ...opened }: VipsOpened, side: number): Sharp {
  const fitted = image.resize({ width: side, height: side, fit: 'inside', withoutEnlargement: true });
  // Only before it is turned. Afterwards, sharp mirrors before it turns.
  const orientation = orientationOf(opened);
  const swapped = { 5: 7, 7: 5 }[orientation] ?? orientation;
  return turned(fitted, swapped);
}

/** To show. Sharp turns before it mirrors. */
export function vipsUpright({ image, ...opened }: VipsOpened): Sharp {
  return turned(image, orientationOf(opened));
}

function orientationOf({ header, orientation: around }: Omit<VipsOpened, 'image'>): number {
  return header.orientation ?? around ?? 1;
}

function turned(image: Sharp, orientation: number): Sharp {
  const angle = { 3: 180, 5: 90, 6: 90, 7: 90, 8: 270 }[orientation] ?? 0;
  const upright = angle === 0 ? image : image.rotate(angle);
  if (orientation === 2 || orientation === 5) return upright.flop();
  return orientation === 4 || orientation === 7 ? upright.flip() : upright;
}

/** Of drawings, as in CSS. */
const pixelsPerInch = 72;

/** Memory of libvips and the format's library for an image, in bytes a pixel. */
function bytesPerPixel(header: Metadata, format: ImageFormat): number {
  const { channels, depth, isProgressive = false } = header;
  const result = header.space === 'cmyk' ? 7 : 3;
  const sample = depth === 'ushort' ? 2 : 1;
  switch (format) {
    case 'jpeg':
      return result + (isProgressive ? 2 * channels : 0); // all coefficients
    case 'png':
      return result + (isProgressive ? sample * channels : 0);
    default:
      return result + 8; // the frame, and its canvas
  }
}

function hasManyScans(bytes: Uint8Array): boolean {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  let count = 0;
  for (let at = file.indexOf(scanBegins); at >= 0; at = file.indexOf(scanBegins, at + 2)) {
    count += 1;
    if (count > quickScans) return true;
  }
  return false;
}

const scanBegins = Buffer.from([0xff, 0xda]);

async function rgbPixels(image: Sharp): Promise<RgbImage> {
  return pixelsOf(image.removeAlpha().toColourspace('srgb'), 3);
}

/** Pillow's plain formula, channel = (255 - ink)(255 - black) / 255. libvips would use a printer's profile. */
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

async function pixelsOf(image: Sharp, channels: number): Promise<RgbImage> {
  const { data, info } = await image.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
  if (info.channels !== channels) throw new Error(`${info.channels} channels instead of ${channels}`);
  return { data, width: info.width, height: info.height };
}
