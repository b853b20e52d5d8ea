/** Reads what a camera wrote into a file: when, with what and where the photo was taken. */
// Exif 3.0 (CIPA DC-008-2023), in TIFF's directories of tags (TIFF 6.0, section 2). Only the tags below are read, a few
// hundred bytes of each. Libraries read all values of all tags, which 64 KB of hostile ones turn into gigabytes.

/** Values are null if the file does not have them, or has impossible ones. */
export interface Exif {
  /** Time of the camera's own clock: `2024-05-01T14:03:22`, without a zone. */
  readonly taken: string | null;
  /** Maker and model. */
  readonly camera: string | null;
  readonly lens: string | null;
  /** Degrees, north and east positive. */
  readonly latitude: number | null;
  readonly longitude: number | null;
}

/** Takes any bytes. Never throws. Time is linear in the file's length. */
export function exifOf(bytes: Uint8Array): Exif {
  const tiff = tiffIn(bytes);
  const main = tiff === undefined ? emptyFolder : folderAt(tiff, numberAt(tiff, 4, 4));
  const photo = folderIn(main, tags.exifFolder);
  const place = folderIn(main, tags.gpsFolder);
  const latitude = degrees(place, tags.latitudeReference, tags.latitude, 'NS', 90);
  const longitude = degrees(place, tags.longitudeReference, tags.longitude, 'EW', 180);
  // Cameras write zeros when they do not know their position.
  const isPlace = latitude !== null && longitude !== null && (latitude !== 0 || longitude !== 0);
  return {
    taken: timeOf(textOf(photo, tags.taken)) ?? timeOf(textOf(photo, tags.digitized)),
    camera: cameraOf(textOf(main, tags.make), textOf(main, tags.model)),
    lens: textOf(photo, tags.lens),
    latitude: isPlace ? latitude : null,
    longitude: isPlace ? longitude : null,
  };
}

const tags = {
  make: 0x010f,
  model: 0x0110,
  exifFolder: 0x8769,
  gpsFolder: 0x8825,
  taken: 0x9003,
  digitized: 0x9004,
  lens: 0xa434,
  latitudeReference: 1,
  latitude: 2,
  longitudeReference: 3,
  longitude: 4,
} as const;
/** TIFF's types. */
const types = { ascii: 2, rational: 5, utf8: 129 } as const;
/** Limit of tags in a directory. Cameras have some dozens. */
const mostEntries = 512;
const longestText = 256;

/** A block of TIFF, which begins with its byte order. */
interface Tiff {
  readonly data: Uint8Array;
  readonly isLittle: boolean;
}

/** Where each tag's entry of 12 bytes begins. */
interface Folder {
  readonly tiff: Tiff;
  readonly entries: ReadonlyMap<number, number>;
}

const emptyFolder: Folder = { tiff: { data: new Uint8Array(), isLittle: true }, entries: new Map() };

/** Finds a file's TIFF block: the whole file in TIFF and raw files, elsewhere a separate part. */
function tiffIn(file: Uint8Array): Tiff | undefined {
  if (file.length < 12) return undefined;
  const kind = latin1(file, 0, 12);
  if (kind.startsWith('\xff\xd8')) return tiffAt(file, inJpeg(file));
  if (kind.startsWith('\x89PNG')) return tiffAt(file, inChunks(file, 'eXIf', 8, false));
  if (/^RIFF....WEBP/s.test(kind)) return tiffAt(file, inChunks(file, 'EXIF', 12, true));
  if (/^(?:II|MM)/.test(kind)) return tiffAt(file, 0);
  return tiffAt(file, ofMark(file));
}

function tiffAt(file: Uint8Array, start: number | undefined): Tiff | undefined {
  if (start === undefined) return undefined;
  const isMarked = latin1(file, start, start + 6) === 'Exif\0\0';
  const data = file.subarray(start + (isMarked ? 6 : 0));
  const order = latin1(data, 0, 2);
  return order === 'II' || order === 'MM' ? { data, isLittle: order === 'II' } : undefined;
}

/** Segments come before the pixels, each with its length. */
function inJpeg(file: Uint8Array): number | undefined {
  const view = viewOf(file);
  for (let at = 2; at + 10 <= file.length && file[at] === 0xff; at += 2 + view.getUint16(at + 2)) {
    if (file[at + 1] === 0xda) return undefined;
    if (file[at + 1] === 0xe1 && latin1(file, at + 4, at + 10) === 'Exif\0\0') return at + 4;
  }
  return undefined;
}

/** Chunks of PNG, whose length comes before their name and a checksum at their end, or of RIFF, with a length that is even. */
function inChunks(file: Uint8Array, wanted: string, start: number, isRiff: boolean): number | undefined {
  const view = viewOf(file);
  for (let at = start; at + 8 <= file.length; ) {
    if (latin1(file, at + (isRiff ? 0 : 4), at + (isRiff ? 4 : 8)) === wanted) return at + 8;
    const length = isRiff ? view.getUint32(at + 4, true) : view.getUint32(at);
    at += 8 + (isRiff ? length + (length % 2) : length + 4);
  }
  return undefined;
}

/** Where the mark is that comes before TIFF in other formats. */
function ofMark(file: Uint8Array): number | undefined {
  for (let at = file.indexOf(0x45); at >= 0; at = file.indexOf(0x45, at + 1)) {
    if (file[at + 1] !== 0x78) continue; // quickly, since files are large
    if (['Exif\0\0II*\0', 'Exif\0\0MM\0*'].includes(latin1(file, at, at + 10))) return at;
  }
  return undefined;
}

function viewOf({ buffer, byteOffset, length }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, length);
}

/** A letter for each byte. */
function latin1(bytes: Uint8Array, from: number, to: number): string {
  return String.fromCharCode(...bytes.subarray(from, to));
}

/** 0 past the end. */
function numberAt({ data, isLittle }: Tiff, at: number, bytes: 2 | 4): number {
  if (at + bytes > data.length) return 0;
  const view = viewOf(data);
  return bytes === 2 ? view.getUint16(at, isLittle) : view.getUint32(at, isLittle);
}

function folderAt(tiff: Tiff, start: number): Folder {
  const entries = new Map<number, number>();
  const count = start === 0 ? 0 : Math.min(numberAt(tiff, start, 2), mostEntries);
  for (let at = start + 2; at < start + 2 + 12 * count && at + 12 <= tiff.data.length; at += 12) {
    entries.set(numberAt(tiff, at, 2), at);
  }
  return { tiff, entries };
}

function folderIn({ tiff, entries }: Folder, tag: number): Folder {
  const entry = entries.get(tag);
  return entry === undefined ? emptyFolder : folderAt(tiff, numberAt(tiff, entry + 8, 4));
}

function textOf({ tiff, entries }: Folder, tag: number): string | null {
  const entry = entries.get(tag);
  const type = entry === undefined ? 0 : numberAt(tiff, entry + 2, 2);
  if (entry === undefined || (type !== types.ascii && type !== types.utf8)) return null;
  const count = numberAt(tiff, entry + 4, 4);
  const start = count <= 4 ? entry + 8 : numberAt(tiff, entry + 8, 4);
  const bytes = tiff.data.subarray(start, start + Math.min(count, longestText));
  const end = bytes.indexOf(0);
  // The standard says ASCII; some cameras write UTF-8 or Latin-1.
  const given = bytes.subarray(0, end < 0 ? bytes.length : end);
  const utf8 = new TextDecoder('utf-8', { ignoreBOM: true }).decode(given);
  const text = utf8.includes('\ufffd') ? latin1(given, 0, given.length) : utf8;
  const plain = text
    .replaceAll(/\p{C}+/gu, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim();
  return plain === '' ? null : plain.normalize('NFC');
}

/** Three rationals: degrees, minutes and seconds. */
function degrees(folder: Folder, reference: number, tag: number, sides: string, most: number): number | null {
  const { tiff, entries } = folder;
  const entry = entries.get(tag);
  const side = sides.indexOf(textOf(folder, reference)?.slice(0, 1).toUpperCase() ?? '?');
  if (entry === undefined || side < 0 || numberAt(tiff, entry + 2, 2) !== types.rational) return null;
  const start = numberAt(tiff, entry + 8, 4);
  const count = numberAt(tiff, entry + 4, 4);
  if (count < 1 || count > 3 || start + 8 * count > tiff.data.length) return null;
  let sum = 0;
  for (let part = 0; part < count; part += 1) {
    const [above, below] = [numberAt(tiff, start + 8 * part, 4), numberAt(tiff, start + 8 * part + 4, 4)];
    // Missing parts may be 0/0, but not the degrees.
    if (below === 0 && (above !== 0 || part === 0)) return null;
    if (below !== 0) sum += above / below / 60 ** part;
  }
  if (!(sum <= most)) return null;
  const rounded = Math.round(sum * 1e7) / 1e7; // a centimetre
  return side === 0 || rounded === 0 ? rounded : -rounded;
}

/** `2024:05:01 14:03:22` as ISO 8601; null for what is not a time, such as zeros. */
function timeOf(text: string | null): string | null {
  const parts = /^(\d{4})[:/-](\d\d)[:/-](\d\d)[ T](\d\d):(\d\d):(\d\d)/.exec(text ?? '');
  if (parts === null) return null;
  const [, year, month, day, hours, minutes, seconds] = parts;
  const iso = `${year}-${month}-${day}T${hours}:${minutes}:${seconds}`;
  const time = new Date(`${iso}Z`);
  const isTime = !Number.isNaN(time.getTime()) && time.toISOString().startsWith(iso);
  return isTime && Number(year) > 0 ? iso : null;
}

/** Many models begin with their maker's name. */
function cameraOf(make: string | null, model: string | null): string | null {
  if (make === null || model === null) return make ?? model;
  const maker = make.split(' ')[0]!.toLowerCase();
  return model.toLowerCase().startsWith(maker) ? model : `${make} ${model}`;
}
