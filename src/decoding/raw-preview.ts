/** Finds the preview in a camera's raw file: a JPEG by the camera, mostly as large as the sensor. */

/** A JPEG in a file, and how to turn it upright, if the file around it says so. */
interface RawPreview {
  readonly jpeg: Uint8Array<ArrayBuffer>;
  readonly orientation: number | undefined;
}

/**
 * The JPEG with most pixels in the file. Every maker puts previews elsewhere, in poorly documented parts, but a JPEG can
 * be recognised. Time is linear in the file's length.
 */
export function rawPreview(file: Uint8Array<ArrayBuffer>): RawPreview | undefined {
  let best: { readonly pixels: number; readonly from: number } | undefined;
  for (let at = indexOf(file, jpegBegins, 0); at >= 0; ) {
    const found = jpegAt(file, at);
    if (found && found.pixels > (best?.pixels ?? 0)) best = { pixels: found.pixels, from: at };
    at = indexOf(file, jpegBegins, found?.data ?? at + 1);
  }
  if (best === undefined) return undefined;
  const end = indexOf(file, jpegEnds, jpegAt(file, best.from)!.data);
  const jpeg = file.subarray(best.from, end < 0 ? file.length : end + jpegEnds.length);
  return { jpeg, orientation: orientationIn(file) };
}

const jpegBegins = [0xff, 0xd8, 0xff] as const;
const jpegEnds = [0xff, 0xd9] as const;
/** Limit of segments before the pixels. A preview has a dozen. */
const mostSegments = 64;

/** Number of pixels, and start of the data, of a JPEG that begins here; undefined if it is not a visible one. */
function jpegAt(
  file: Uint8Array,
  start: number,
): { readonly pixels: number; readonly data: number } | undefined {
  const data = view(file);
  let pixels = 0;
  let at = start + 2;
  for (let segment = 0; segment < mostSegments && at + 4 <= file.length; segment += 1) {
    if (file[at] !== 0xff) return undefined;
    const marker = file[at + 1]!;
    const length = data.getUint16(at + 2);
    if (marker < 0xc0 || marker === 0xff || length < 2) return undefined;
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
      const isSeen = marker <= 0xc2 && at + 9 <= file.length && file[at + 4] === 8; // Lossless JPEGs are sensor data.
      if (!isSeen) return undefined;
      pixels = data.getUint16(at + 5) * data.getUint16(at + 7);
    }
    at += 2 + length;
    if (marker === 0xda) return pixels > 0 ? { pixels, data: Math.min(at, file.length) } : undefined;
  }
  return undefined;
}

/** Where TIFF begins in Canon's CR3: in a box of this name near the file's beginning. */
const cr3Box = 'CMT1';
const nearBeginning = 2 ** 16;
const orientationTag = 0x112;

function orientationIn(file: Uint8Array): number | undefined {
  const isBoxes = latin1(file, 4, 8) === 'ftyp';
  const box = isBoxes ? latin1(file, 0, nearBeginning).indexOf(cr3Box) : -cr3Box.length;
  return isBoxes && box < 0 ? undefined : tiffOrientation(file.subarray(box + cr3Box.length));
}

/** From the first directory of a TIFF, as in EXIF and in most raw files (some makers replace its 42 by another mark). */
export function tiffOrientation(tiff: Uint8Array): number | undefined {
  const order = latin1(tiff, 0, 2);
  if (tiff.length < 8 || (order !== 'II' && order !== 'MM')) return undefined;
  const data = view(tiff);
  const isLittle = order === 'II';
  const start = data.getUint32(4, isLittle);
  if (start + 2 > tiff.length) return undefined;
  const end = Math.min(start + 2 + data.getUint16(start, isLittle) * 12, tiff.length);
  for (let entry = start + 2; entry + 12 <= end; entry += 12) {
    if (data.getUint16(entry, isLittle) !== orientationTag) continue;
    const value = data.getUint16(entry + 8, isLittle);
    return value >= 1 && value <= 8 ? value : undefined;
  }
  return undefined;
}

function indexOf(file: Uint8Array, wanted: readonly [number, ...number[]], from: number): number {
  for (let at = file.indexOf(wanted[0], from); at >= 0; at = file.indexOf(wanted[0], at + 1)) {
    if (wanted.every((byte, offset) => file[at + offset] === byte)) return at;
  }
  return -1;
}

function latin1(file: Uint8Array, from: number, to: number): string {
  return Array.from(file.subarray(from, to), (byte) => String.fromCharCode(byte)).join('');
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
