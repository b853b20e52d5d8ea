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
export function rawPreview(bytes: Uint8Array<ArrayBuffer>): RawPreview | undefined {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  let best: { readonly pixels: number; readonly from: number } | undefined;
  for (let at = file.indexOf(jpegBegins); at >= 0; ) {
    const found = jpegAt(file, at);
    if (found && found.pixels > (best?.pixels ?? 0)) best = { pixels: found.pixels, from: at };
    at = file.indexOf(jpegBegins, found?.data ?? at + 1);
  }
  if (best === undefined) return undefined;
  const end = file.indexOf(jpegEnds, jpegAt(file, best.from)!.data);
  const jpeg = bytes.subarray(best.from, end < 0 ? bytes.length : end + jpegEnds.length);
  return { jpeg, orientation: orientationIn(file) };
}

const jpegBegins = Buffer.from([0xff, 0xd8, 0xff]);
const jpegEnds = Buffer.from([0xff, 0xd9]);
/** Limit of segments before the pixels. A preview has a dozen. */
const mostSegments = 64;

/** Number of pixels, and start of the data, of a JPEG that begins here; undefined if it is not a visible one. */
function jpegAt(file: Buffer, start: number): { readonly pixels: number; readonly data: number } | undefined {
  let pixels = 0;
  let at = start + 2;
  for (let segment = 0; segment < mostSegments && at + 4 <= file.length; segment += 1) {
    if (file[at] !== 0xff) return undefined;
    const marker = file[at + 1]!;
    const length = file.readUInt16BE(at + 2);
    if (marker < 0xc0 || marker === 0xff || length < 2) return undefined;
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
      const isSeen = marker <= 0xc2 && at + 9 <= file.length && file[at + 4] === 8; // Lossless JPEGs are sensor data.
      if (!isSeen) return undefined;
      pixels = file.readUInt16BE(at + 5) * file.readUInt16BE(at + 7);
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

/** From the first directory of the TIFF in most raw files (some makers replace its 42 by another mark). */
function orientationIn(file: Buffer): number | undefined {
  const box = file.toString('latin1', 4, 8) === 'ftyp' ? file.subarray(0, nearBeginning).indexOf(cr3Box) : -4;
  if (file.toString('latin1', 4, 8) === 'ftyp' && box < 0) return undefined;
  const tiff = file.subarray(box + 4);
  const order = tiff.toString('latin1', 0, 2);
  if (tiff.length < 8 || (order !== 'II' && order !== 'MM')) return undefined;
  const short = (at: number) => (order === 'II' ? tiff.readUInt16LE(at) : tiff.readUInt16BE(at));
  const start = order === 'II' ? tiff.readUInt32LE(4) : tiff.readUInt32BE(4);
  if (start + 2 > tiff.length) return undefined;
  const end = Math.min(start + 2 + short(start) * 12, tiff.length);
  for (let entry = start + 2; entry + 12 <= end; entry += 12) {
    if (short(entry) !== orientationTag) continue;
    const value = short(entry + 8);
    return value >= 1 && value <= 8 ? value : undefined;
  }
  return undefined;
}
