/** Parses a tar archive's headers: the fields of a block, and the records of extension headers. */
// The formats: POSIX.1-2024 pax, https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html, and GNU tar's,
// https://www.gnu.org/software/tar/manual/html_node/Standard.html. Where they leave a choice, we follow Python's tarfile.

/** The fields that describe a file and its data. Names are bytes, because they may have any encoding. */
export interface TarHeader {
  /** The type's character; `0` for the oldest archives' files. */
  readonly type: string;
  readonly name: Buffer;
  /** Target of a link. */
  readonly target: Buffer;
  /** In bytes; undefined if there is no number. */
  readonly size: number | undefined;
  /** Whether blocks of a sparse file's map follow. */
  readonly isExtended: boolean;
}

export const blockSize = 512;

/** A header, 'zeros' for a block of zeros, and undefined for a wrong checksum. */
export function parseHeader(block: Buffer): TarHeader | 'zeros' | undefined {
  if (block.every((byte) => byte === 0)) return 'zeros';
  const checksum = numberIn(block.subarray(148, 156));
  if (checksum === undefined || !sumsOf(block).includes(checksum)) return undefined;
  const own = upToZero(block.subarray(0, 100));
  // GNU archives have times where POSIX archives have the beginning of the name.
  const isPosix = block.subarray(257, 263).toString('latin1') === 'ustar\0';
  const prefix = isPosix ? upToZero(block.subarray(345, 500)) : Buffer.alloc(0);
  const code = String.fromCharCode(block[156]!);
  return {
    type: code === '\0' ? '0' : code,
    name: prefix.length > 0 ? Buffer.concat([prefix, Buffer.from('/'), own]) : own,
    target: upToZero(block.subarray(157, 257)),
    size: numberIn(block.subarray(124, 136)),
    isExtended: block[482] !== 0,
  };
}

/** Records such as `25 path=folder/a.jpg\n`, with values as bytes; undefined for other bytes. */
export function parseRecords(bytes: Buffer): ReadonlyMap<string, Buffer> | undefined {
  const records = new Map<string, Buffer>();
  for (let at = 0; at < bytes.length && bytes[at] !== 0; ) {
    const space = bytes.indexOf(' ', at);
    const digits = bytes.subarray(at, Math.min(space, at + 20)).toString('latin1');
    const end = at + Number(digits);
    const equals = bytes.indexOf('=', space);
    const isRecord = space > at && /^\d+$/.test(digits) && end <= bytes.length && bytes[end - 1] === 0x0a;
    if (!isRecord || equals < space + 2 || equals >= end) return undefined;
    records.set(bytes.toString('utf8', space + 1, equals), bytes.subarray(equals + 1, end - 1));
    at = end;
  }
  return records;
}

export function upToZero(bytes: Buffer): Buffer {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end);
}

/** The checksum's own bytes count as spaces. Old Sun archives add up bytes with signs. */
function sumsOf(block: Buffer): readonly number[] {
  let unsigned = 8 * 0x20;
  let high = 0;
  for (let at = 0; at < blockSize; at += 1) {
    if (at >= 148 && at < 156) continue;
    unsigned += block[at]!;
    if (block[at]! > 127) high += 1;
  }
  return [unsigned, unsigned - 256 * high];
}

/** Octal digits, or GNU's base 256 for large numbers; undefined for anything else, and below 0. */
function numberIn(field: Buffer): number | undefined {
  if (field[0]! === 0x80) return field.subarray(1).reduce((value, byte) => value * 256 + byte, 0);
  const digits = upToZero(field).toString('latin1').trim();
  return /^[0-7]*$/.test(digits) ? Number.parseInt(digits || '0', 8) : undefined;
}
