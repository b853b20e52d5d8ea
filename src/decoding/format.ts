/** Tells an image's format from its first bytes, whatever the file's name. */

/** Formats that can be decoded. `raw`: a camera's sensor data. */
export type ImageFormat =
  | 'jpeg'
  | 'png'
  | 'webp'
  | 'gif'
  | 'tiff'
  | 'svg'
  | 'avif'
  | 'heic'
  | 'jp2'
  | 'j2k'
  | 'jxl'
  | 'bmp'
  | 'raw';

/** For messages. */
export const formatsText =
  "JPEG, PNG, WebP, GIF, TIFF, AVIF, SVG, HEIC, JPEG 2000, JPEG XL, BMP or a camera's raw image";

/** Undefined if it is not an image, or cannot be decoded. Reads a few kilobytes. */
export function formatOf(bytes: Uint8Array): ImageFormat | undefined {
  const begins = (signature: string, at = 0) => latin1(bytes, at, at + signature.length) === signature;
  if (begins('\xff\xd8\xff')) return 'jpeg';
  if (begins('\x89PNG\r\n\x1a\n')) return 'png';
  if (begins('GIF8')) return 'gif';
  if (begins('RIFF') && begins('WEBP', 8)) return 'webp';
  if (rawBeginnings.some(([signature, at = 0]) => begins(signature, at))) return 'raw';
  if (begins('II*\0') || begins('MM\0*')) return isRawTiff(bytes) ? 'raw' : 'tiff';
  if (begins('II+\0') || begins('MM\0+')) return 'tiff';
  if (begins('ftyp', 4)) return formatOfBrands(bytes);
  if (begins('\0\0\0\x0cjP  \r\n\x87\n')) return 'jp2';
  if (begins('\xff\x4f\xff\x51')) return 'j2k';
  if (begins('\xff\x0a') || begins('\0\0\0\x0cJXL \r\n\x87\n')) return 'jxl';
  if (begins('BM') && bytes.length >= 26 && bmpHeaders.has(view(bytes).getUint32(14, true))) return 'bmp';
  const text = latin1(bytes, 0, 4096)
    .replace(/^\xef\xbb\xbf/, '')
    .trimStart();
  return text.startsWith('<') && /<(?:[\w-]+:)?svg[\s>]/i.test(text) ? 'svg' : undefined;
}

/** Of Canon (CR2), Olympus, Panasonic and Leica, Fujifilm, and Minolta. */
const rawBeginnings: readonly (readonly [signature: string, at?: number])[] = [
  ['CR\x02', 8],
  ['IIRO'],
  ['IIRS'],
  ['MMOR'],
  ['IIU\0'],
  ['FUJIFILMCCD-RAW'],
  ['\0MRM'],
];

/** Possible lengths of headers. */
const bmpHeaders: ReadonlySet<number> = new Set([12, 16, 40, 52, 56, 64, 108, 124]);

/** Files of ISO boxes name their brands in the first one. */
function formatOfBrands(bytes: Uint8Array): ImageFormat | undefined {
  const end = Math.min(view(bytes).getUint32(0), 256);
  const brands = latin1(bytes, 8, end).match(/.{4}/gs) ?? [];
  const has = (...wanted: readonly string[]) => brands.some((brand) => wanted.includes(brand));
  if (has('crx ')) return 'raw'; // Canon, CR3
  if (has('avif', 'avis')) return 'avif';
  if (has('heic', 'heix', 'heim', 'heis', 'hevc', 'hevx', 'hevm', 'hevs', 'mif1', 'msf1')) return 'heic';
  return has('jxl ') ? 'jxl' : undefined;
}

const tags = { photometric: 0x106, furtherFolders: 0x14a, dngVersion: 0xc612 } as const;
/** Values of `photometric`: colour filter array, and linear raw. */
const ofSensors: ReadonlySet<number> = new Set([32803, 34892]);
/** A file has a few. Following more would let a small file take long. */
const mostFolders = 32;
const mostEntries = 512;

/** Most cameras write TIFF, with the sensor's data in one of its directories (TIFF 6.0, section 2; DNG 1.7, chapter 2). */
function isRawTiff(bytes: Uint8Array): boolean {
  const data = view(bytes);
  const little = bytes[0] === 0x49;
  const folders = [data.byteLength >= 8 ? data.getUint32(4, little) : 0];
  for (let at = 0; at < Math.min(folders.length, mostFolders); at += 1) {
    const start = folders[at]!;
    if (start === 0 || start + 2 > bytes.length) continue;
    const count = Math.min(data.getUint16(start, little), mostEntries);
    let entry = start + 2;
    for (let left = count; left > 0 && entry + 12 <= bytes.length; left -= 1, entry += 12) {
      const tag = data.getUint16(entry, little);
      if (tag === tags.dngVersion) return true;
      if (tag === tags.photometric && ofSensors.has(data.getUint16(entry + 8, little))) return true;
      if (tag !== tags.furtherFolders) continue;
      const values = Math.min(data.getUint32(entry + 4, little), mostFolders);
      const first = values === 1 ? entry + 8 : data.getUint32(entry + 8, little);
      for (let value = 0; value < values && first + value * 4 + 4 <= bytes.length; value += 1) {
        folders.push(data.getUint32(first + value * 4, little));
      }
    }
    if (entry + 4 <= bytes.length) folders.push(data.getUint32(entry, little));
  }
  return false;
}

function latin1(bytes: Uint8Array, from: number, to: number): string {
  return String.fromCharCode(...bytes.subarray(from, to));
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
