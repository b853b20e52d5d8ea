/** Checks what a Parquet file says about its sizes, before hyparquet takes memory or time for them. */

import { LincirError, type RandomAccess, unquoted } from '../../core/index.ts';

/** The part of a file's interface that is used, on disk and on the hub. */
export type ParquetFile = RandomAccess;

/** A number and where it ends. */
interface Counted {
  readonly value: number;
  readonly end: number;
}

/** Parquet's structures are nested less than half as deep. */
const depthLimit = 16;
/** Values that a run may have beyond the real ones, because packed groups have eight or more. */
const valuesBeyond = 512;

/** The error about a file whose bytes do not fit the format. */
export function brokenParquet({ name }: ParquetFile, found: string, cause?: unknown): LincirError {
  const expected = 'a whole Parquet file';
  return new LincirError('bad-file', { subject: name, expected, found, todo: 'get it again', cause });
}

/** The result of `decode`. Whatever it throws becomes an error about the file. */
export function decoding<T>(file: ParquetFile, decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    if (error instanceof LincirError) throw error;
    throw brokenParquet(file, error instanceof Error ? unquoted(error.message, 200) : 'none', error);
  }
}

/**
 * Whether the structure at the beginning of the bytes ends within them, and none of its lists claims more elements than
 * there are bytes. The format is Thrift's compact protocol:
 * https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
 */
export function isSoundThrift(bytes: Uint8Array): boolean {
  return endOfStructure(bytes, 0, 0) <= bytes.length;
}

/**
 * Whether the first `count` values of a sequence of runs and of groups of packed bits can be read in bounded memory and
 * time. The encoding: https://parquet.apache.org/docs/file-format/data-pages/encodings/#RLE
 * @param width the bits of a value
 */
export function areSoundRuns(bytes: Uint8Array, width: number, count: number): boolean {
  for (let at = 0, seen = 0; seen < count && at < bytes.length; ) {
    const { value: header, end } = varint(bytes, at);
    const isPacked = header % 2 === 1;
    const repeats = Math.floor(header / 2);
    const values = isPacked ? repeats * 8 : repeats;
    if (values > count - seen + valuesBeyond) return false;
    seen += values;
    at = end + (isPacked ? repeats * width : Math.ceil(width / 8));
  }
  return true;
}

/** Where a structure ends; infinity if it is broken. */
function endOfStructure(bytes: Uint8Array, begin: number, depth: number): number {
  for (let at = begin; at < bytes.length && depth <= depthLimit; ) {
    const head = bytes[at]!;
    const type = head & 15;
    at += 1;
    if (type === 0) return at;
    // If the upper half has no step from the last field's number, the number itself follows.
    if (head < 16) at = varint(bytes, at).end;
    at = endOfValue(bytes, at, type, depth);
  }
  return Infinity;
}

function endOfValue(bytes: Uint8Array, at: number, type: number, depth: number): number {
  switch (type) {
    case 1: // true
    case 2: // false
      return at;
    case 3: // byte
      return at + 1;
    case 4: // integers of 16, 32 and 64 bits
    case 5:
    case 6:
      return varint(bytes, at).end;
    case 7: // double
      return at + 8;
    case 8: {
      const { value: length, end } = varint(bytes, at);
      return end + length;
    }
    case 9:
      return endOfList(bytes, at, depth);
    case 12:
      return endOfStructure(bytes, at, depth + 1);
    default:
      return Infinity;
  }
}

function endOfList(bytes: Uint8Array, at: number, depth: number): number {
  const head = bytes[at] ?? 0;
  const short = head >> 4;
  const { value: count, end } = short === 15 ? varint(bytes, at + 1) : { value: short, end: at + 1 };
  if (count > bytes.length - end) return Infinity;
  // In a list, true and false take one byte each.
  const type = (head & 15) <= 2 ? 3 : head & 15;
  let next = end;
  for (let element = 0; element < count && next < bytes.length; element += 1) {
    next = endOfValue(bytes, next, type, depth + 1);
  }
  return next;
}

/** A number in groups of seven bits, the lowest first; infinity if it is longer than 64 bits. */
export function varint(bytes: Uint8Array, at: number): Counted {
  let value = 0;
  for (let end = at, scale = 1; end < Math.min(bytes.length, at + 10); scale *= 128) {
    const byte = bytes[end]!;
    end += 1;
    value += (byte & 127) * scale;
    if (byte < 128) return { value, end };
  }
  return { value: Infinity, end: Infinity };
}
