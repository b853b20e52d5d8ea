/** Reads the pages of a column in a Parquet file: finds, checks, unpacks and decodes them one by one. */

import { isUtf8 } from 'node:buffer';
import { brotliDecompressSync, unzipSync, zstdDecompressSync } from 'node:zlib';
import type { Compressors, DecodedArray } from 'hyparquet';
import { parquetHeader, readPage } from 'hyparquet/src/column.js';
import { convert, DEFAULT_PARSERS } from 'hyparquet/src/convert.js';
import { decompressPage } from 'hyparquet/src/datapage.js';
import { isFlatColumn } from 'hyparquet/src/schema.js';
import { compressors as allCompressors } from 'hyparquet-compressors';
import { brokenParquet, decoding, isSoundThrift, type ParquetFile } from './checks.ts';
import { checkValues, detailsOf, isWithin, levelsEnd, v2Of } from './page-checks.ts';

export type ColumnDecoder = Parameters<typeof readPage>[2];
export type PageHeader = ReturnType<typeof parquetHeader>;

/** Where a row group's part of a column lies, in bytes of the file, and how to decode it. */
export interface Chunk {
  readonly begin: number;
  readonly end: number;
  readonly rows: number;
  readonly column: Omit<ColumnDecoder, 'compressors' | 'parsers'>;
}

/** A page's header is short, but may quote the least and the greatest value. */
const headerLimit = 2 ** 20;
/** Limits that protect memory from a broken or hostile file: far more than any writer's default. */
const pageLimit = 2 ** 28;
const pageRowLimit = 2 ** 24;
const nestedValuesLimit = 2 ** 26;
/** The most bytes with which an encoding begins when no value follows. */
const encodingStart = 16;

/** Marks bytes that are not UTF-8 until their row is known. */
export const notUtf8 = Symbol('not UTF-8');

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
export const textParsers: ColumnDecoder['parsers'] = { ...DEFAULT_PARSERS, stringFromBytes: textOf };

/** Node's are faster, and stop at the size in the page's header. */
const compressors: Compressors = {
  ...allCompressors,
  GZIP: (input, size) => unpacked(unzipSync, input, size),
  ZSTD: (input, size) => unpacked(zstdDecompressSync, input, size),
  BROTLI: (input, size) => unpacked(brotliDecompressSync, input, size),
  LZ4: (input, size) => (size === 0 ? new Uint8Array() : allCompressors.LZ4!(input, size)),
  LZ4_RAW: (input, size) => (size === 0 ? new Uint8Array() : allCompressors.LZ4_RAW!(input, size)),
};

export function textOf(bytes: Uint8Array): string | typeof notUtf8 {
  return isUtf8(bytes) ? utf8.decode(bytes) : notUtf8;
}

/**
 * The values of a row group, made by `parsers`, or null: page by page, or, if they are nested in lists and structures, all
 * at once, a list of lists for each row.
 * @throws LincirError 'bad-file' for pages that cannot be decoded or do not make up the row group.
 */
export async function* pageValues(
  file: ParquetFile,
  { begin, end, rows, column }: Chunk,
  parsers: ColumnDecoder['parsers'],
): AsyncGenerator<DecodedArray, void, void> {
  const decoder = { ...column, compressors, parsers };
  const isFlat = isFlatColumn(column.schemaPath);
  // A group of only nulls may have no dictionary, or an empty one.
  let dictionary: DecodedArray = [];
  const nested: unknown[] = [];
  let valuesLeft = isFlat ? rows : nestedValuesLimit;
  for (let position = begin; isFlat ? valuesLeft > 0 : position < end; ) {
    if (position >= end) throw brokenParquet(file, `a row group that lacks ${valuesLeft} of ${rows} rows`);
    const bytes = await file.read(position, Math.min(end - position, headerLimit));
    if (!isSoundThrift(bytes)) throw brokenParquet(file, `no page at byte ${position}`);
    const reader = { view: viewOf(bytes), offset: 0 };
    const header = decoding(file, () => parquetHeader(reader));
    position += reader.offset;
    const count = valuesIn(header, end - position, valuesLeft);
    if (count === undefined) throw brokenParquet(file, `a page of impossible sizes at byte ${position}`);
    const packed = await file.read(position, header.compressed_page_size);
    position += packed.length;
    if (count === 0 || header.type === 'INDEX_PAGE') continue;
    const isDictionary = header.type === 'DICTIONARY_PAGE';
    const before = isFlat || isDictionary ? undefined : nested;
    const values = decoding(file, () => decodedPage(header, packed, decoder, dictionary, before));
    if ((isFlat || isDictionary) && values.length !== count) {
      throw brokenParquet(file, `a page of ${values.length} in place of ${count} values`);
    }
    if (isDictionary) {
      dictionary = values;
      continue;
    }
    valuesLeft -= count;
    if (isFlat) yield values;
    // Without levels, as in a structure that is never null, they come in an extra list.
    else if (values !== nested) for (const value of values) nested.push(value);
  }
  if (isFlat) return;
  if (nested.length !== rows) throw brokenParquet(file, `${nested.length} in place of ${rows} rows`);
  yield nested;
}

/** How many values a page has; undefined if its header has impossible sizes. */
function valuesIn(header: PageHeader, bytesLeft: number, valuesLeft: number): number | undefined {
  const { compressed_page_size, uncompressed_page_size } = header;
  const count = header.type === 'INDEX_PAGE' ? 0 : detailsOf(header)?.num_values;
  // A value in a dictionary takes at least a byte.
  const countLimit =
    header.type === 'DICTIONARY_PAGE' ? uncompressed_page_size : Math.min(valuesLeft, pageRowLimit);
  const isSound =
    isWithin(compressed_page_size, bytesLeft) &&
    isWithin(uncompressed_page_size, pageLimit) &&
    isWithin(count, countLimit);
  return isSound ? count : undefined;
}

/** The values of a page, appended to earlier pages' if these are given. Throws any error if the page is broken. */
function decodedPage(
  header: PageHeader,
  packed: Uint8Array,
  decoder: ColumnDecoder,
  dictionary: DecodedArray,
  before: DecodedArray | undefined,
): DecodedArray {
  let page = unpackedPage(header, packed, decoder);
  if (header.type !== 'DICTIONARY_PAGE') {
    const valuesBegin = checkValues(header, page, decoder, pageLimit);
    // If all values are null, some writers omit the beginning of an encoding. Zeros can replace it.
    if (valuesBegin >= page.length) page = padded(page);
  }
  const { data = [] } = readPage(
    { view: viewOf(page), offset: 0 },
    { ...header, compressed_page_size: page.length, uncompressed_page_size: page.length },
    { ...decoder, codec: 'UNCOMPRESSED' },
    dictionary,
    before,
    0,
  );
  return header.type === 'DICTIONARY_PAGE' ? convert(data, decoder) : data;
}

/** An uncompressed page, in a buffer that ends with it, because the decoder may read to the buffer's end. */
function unpackedPage(
  header: PageHeader,
  packed: Uint8Array,
  { codec }: ColumnDecoder,
): Uint8Array<ArrayBuffer> {
  const size = header.uncompressed_page_size;
  const v2 = v2Of(header);
  const levels = v2 === undefined ? 0 : levelsEnd(v2);
  if (!isWithin(levels, Math.min(size, packed.length))) throw new RangeError(`${levels} bytes of levels`);
  const codecOfValues = v2?.is_compressed === false ? 'UNCOMPRESSED' : codec;
  const page = new Uint8Array(size);
  page.set(packed.subarray(0, levels));
  page.set(decompressPage(packed.subarray(levels), size - levels, codecOfValues, compressors), levels);
  return page;
}

function padded(page: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const longer = new Uint8Array(page.length + encodingStart);
  longer.set(page);
  return longer;
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array<ArrayBuffer>): DataView<ArrayBuffer> {
  return new DataView(buffer, byteOffset, byteLength);
}

function unpacked(
  unpack: (input: Uint8Array, options: { readonly maxOutputLength: number }) => Uint8Array,
  input: Uint8Array,
  size: number,
): Uint8Array {
  return size === 0 ? new Uint8Array() : unpack(input, { maxOutputLength: size });
}
