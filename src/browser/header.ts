/** What a picture's file says before browsers decode it: its size, and how to turn it. */

import { imageSize } from 'image-size';
import { type ImageFormat, tiffOrientation } from '../decoding/portable.ts';
import type { Extent } from '../pixels/index.ts';

export interface Bare {
  /** The file, of which no browser turns the picture or changes its colours. */
  readonly parts: readonly Uint8Array<ArrayBuffer>[];
  /** How the file says that its picture is to be turned: 1 to 8. */
  readonly orientation: number | undefined;
}

/** Bytes of a file, from here to before there. */
interface Span {
  readonly from: number;
  readonly to: number;
  readonly isExif: boolean;
}

const readers: Readonly<Partial<Record<ImageFormat, (bytes: Uint8Array) => Span[]>>> = {
  jpeg: segments,
  png: chunks,
  webp: riffChunks,
};

/** As stored. Undefined if it is damaged, or of a format that the library does not know: the browser then decides. */
export function sizeInHeader(bytes: Uint8Array): Extent | undefined {
  try {
    return imageSize(bytes);
  } catch {
    return undefined;
  }
}

/**
 * Takes EXIF and colour profiles out of JPEG, PNG and WebP. Browsers do not agree on when to turn a picture, and none can be told
 * not to; WebKit converts colours even if told not to. Other files are returned as they are.
 */
export function bare(bytes: Uint8Array<ArrayBuffer>, format: ImageFormat): Bare {
  const spans = readers[format]?.(bytes) ?? [];
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let orientation: number | undefined;
  let done = 0;
  for (const span of spans) {
    const { from } = span;
    const to = Math.min(span.to, bytes.length);
    if (from > to) break;
    const tiff = bytes.subarray(from, to);
    if (span.isExif) orientation ??= tiffOrientation(tiff.subarray(Math.max(0, findOrder(tiff))));
    parts.push(bytes.subarray(done, from));
    if (format === 'webp') parts.push(new Uint8Array(to - from)); // its length is written elsewhere, too
    done = to;
  }
  return { parts: [...parts, bytes.subarray(done)], orientation };
}

/** Where TIFF begins: after a segment's or chunk's own beginning. */
function findOrder(span: Uint8Array): number {
  for (let at = 0; at < 24; at += 1) {
    const [a, b, c, d] = span.subarray(at, at + 4);
    if (
      (a === 0x49 && b === 0x49 && c === 42 && d === 0) ||
      (a === 0x4d && b === 0x4d && c === 0 && d === 42)
    )
      return at;
  }
  return -1;
}

function segments(bytes: Uint8Array): Span[] {
  const view = viewOf(bytes);
  const found: Span[] = [];
  for (let at = 2; at + 4 <= bytes.length && bytes[at] === 0xff; ) {
    const marker = bytes[at + 1]!;
    if (marker === 0xda) break; // pixels from here on
    const to = at + 2 + view.getUint16(at + 2);
    const isExif = marker === 0xe1 && text(bytes, at + 4, 4) === 'Exif';
    if (isExif || (marker === 0xe2 && text(bytes, at + 4, 11) === 'ICC_PROFILE'))
      found.push({ from: at, to, isExif });
    at = to;
  }
  return found;
}

/** Of PNG: profiles, and what stands for one. */
const colourChunks = ['iCCP', 'cICP', 'cHRM', 'gAMA'];

function chunks(bytes: Uint8Array): Span[] {
  const view = viewOf(bytes);
  const found: Span[] = [];
  for (let at = 8; at + 12 <= bytes.length; ) {
    const to = at + 12 + view.getUint32(at);
    const name = text(bytes, at + 4, 4);
    if (name === 'eXIf' || colourChunks.includes(name)) found.push({ from: at, to, isExif: name === 'eXIf' });
    at = to;
  }
  return found;
}

function riffChunks(bytes: Uint8Array): Span[] {
  const view = viewOf(bytes);
  const found: Span[] = [];
  for (let at = 12; at + 8 <= bytes.length; ) {
    const length = view.getUint32(at + 4, true);
    const name = text(bytes, at, 4);
    if (name === 'EXIF' || name === 'ICCP')
      found.push({ from: at + 8, to: at + 8 + length, isExif: name === 'EXIF' });
    at += 8 + length + (length % 2);
  }
  return found;
}

function text(bytes: Uint8Array, from: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(from, from + length));
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
