/** The pages of a Parquet column of strings: found one by one, checked, unpacked, decoded. */

import { isUtf8 } from 'node:buffer';
import { brotliDecompressSync, unzipSync, zstdDecompressSync } from 'node:zlib';
import type { Compressors, DecodedArray } from 'hyparquet';
import { parquetHeader, readPage } from 'hyparquet/src/column.js';
import { convert, DEFAULT_PARSERS } from 'hyparquet/src/convert.js';
import { decompressPage } from 'hyparquet/src/datapage.js';
import { compressors as allCompressors } from 'hyparquet-compressors';
import { areSoundRuns, brokenParquet, decoding, isSoundThrift, type ParquetFile } from './parquet-checks.ts';

type ColumnDecoder = Parameters<typeof readPage>[2];
type PageHeader = ReturnType<typeof parquetHeader>;

/** Where a row group's part of the column lies, in bytes of the file, and how to decode it. */
export interface Chunk {
  readonly begin: number;
  readonly end: number;
  readonly rows: number;
  readonly column: Omit<ColumnDecoder, 'compressors' | 'parsers'>;
}

/** A page's header is short, but may quote the least and the greatest caption. */
const headerLimit = 2 ** 20;
/** What a broken or hostile file cannot make us take: far more than any writer's default. */
const pageLimit = 2 ** 28;
const pageRowLimit = 2 ** 24;

/** Stands for bytes that are not UTF-8 until it is known in which row they are. */
export const notUtf8 = Symbol('not UTF-8');

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
const parsers: ColumnDecoder['parsers'] = {
  ...DEFAULT_PARSERS,
  stringFromBytes: (bytes) => (isUtf8(bytes) ? utf8.decode(bytes) : notUtf8),
};

/** Those of Node are faster, and stop at the size that the page's header tells. */
const compressors: Compressors = {
  ...allCompressors,
  GZIP: (input, size) => unpacked(unzipSync, input, size),
  ZSTD: (input, size) => unpacked(zstdDecompressSync, input, size),
  BROTLI: (input, size) => unpacked(brotliDecompressSync, input, size),
};

/**
 * The values of a row group, page by page: strings, null, `notUtf8`, and anything else in a broken file.
 * @throws LincirError 'bad-file' for pages that cannot be decoded or do not make up the row group.
 */
export async function* pageValues(
  file: ParquetFile,
  { begin, end, rows, column }: Chunk,
): AsyncGenerator<DecodedArray, void, void> {
  const decoder = { ...column, compressors, parsers };
  // A group of nulls alone may come without one, or with one of no entries.
  let dictionary: DecodedArray = [];
  let rowsLeft = rows;
  for (let position = begin; rowsLeft > 0; ) {
    if (position >= end) throw brokenParquet(file, `a row group that lacks ${rowsLeft} of ${rows} rows`);
    const bytes = await file.read(position, Math.min(end - position, headerLimit));
    if (!isSoundThrift(bytes)) throw brokenParquet(file, `no page at byte ${position}`);
    const reader = { view: viewOf(bytes), offset: 0 };
    const header = decoding(file, () => parquetHeader(reader));
    position += reader.offset;
    const count = valuesIn(header, end - position, rowsLeft);
    if (count === undefined) throw brokenParquet(file, `a page of impossible sizes at byte ${position}`);
    const packed = await file.read(position, header.compressed_page_size);
    position += packed.length;
    if (count === 0) continue;
    const values = decoding(file, () => decodedPage(header, packed, decoder, dictionary));
    if (values.length !== count) {
      throw brokenParquet(file, `a page of ${values.length} in place of ${count} values`);
    }
    if (header.type === 'DICTIONARY_PAGE') {
      dictionary = values;
      continue;
    }
    rowsLeft -= count;
    yield values;
  }
}

/** How many values a page has; undefined if its header tells sizes that cannot be. */
function valuesIn(header: PageHeader, bytesLeft: number, rowsLeft: number): number | undefined {
  const { compressed_page_size, uncompressed_page_size } = header;
  const count = detailsOf(header)?.num_values;
  // A value in a dictionary has its length before it, in four bytes.
  const countLimit =
    header.type === 'DICTIONARY_PAGE' ? uncompressed_page_size / 4 : Math.min(rowsLeft, pageRowLimit);
  const isSound =
    isWithin(compressed_page_size, bytesLeft) &&
    isWithin(uncompressed_page_size, pageLimit) &&
    isWithin(count, countLimit);
  return isSound ? count : undefined;
}

function isWithin(value: number | undefined, limit: number): value is number {
  return value !== undefined && Number.isInteger(value) && value >= 0 && value <= limit;
}

/** The part of a header that is for its type, whatever else there may be. */
function detailsOf(header: PageHeader) {
  if (header.type === 'DICTIONARY_PAGE') return header.dictionary_page_header;
  return header.type === 'DATA_PAGE' ? header.data_page_header : v2Of(header);
}

function v2Of(header: PageHeader) {
  return header.type === 'DATA_PAGE_V2' ? header.data_page_header_v2 : undefined;
}

/** The values of a page. Throws any error for one that is broken. */
function decodedPage(
  header: PageHeader,
  packed: Uint8Array,
  decoder: ColumnDecoder,
  dictionary: DecodedArray,
): DecodedArray {
  const page = unpackedPage(header, packed, decoder);
  if (header.type !== 'DICTIONARY_PAGE') checkValues(header, page, decoder);
  const { data = [] } = readPage(
    { view: viewOf(page), offset: 0 },
    { ...header, compressed_page_size: page.length },
    { ...decoder, codec: 'UNCOMPRESSED' },
    dictionary,
    undefined,
    0,
  );
  return header.type === 'DICTIONARY_PAGE' ? convert(data, decoder) : data;
}

/** A page as it is before compression, in a buffer that ends with it: the decoder may read to the buffer's end. */
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

/** Throws for a page whose runs would fill the memory, or that cannot be of strings. */
function checkValues(header: PageHeader, page: Uint8Array<ArrayBuffer>, { element }: ColumnDecoder): void {
  const hasLevels = element.repetition_type !== 'REQUIRED';
  const v2 = v2Of(header);
  const { num_values: count, encoding } = (v2 ?? header.data_page_header)!;
  if (v2 !== undefined && !isWithin(v2.num_nulls, count)) throw new RangeError(`${v2.num_nulls} nulls`);
  const levelsBegin = v2 === undefined ? 4 : v2.repetition_levels_byte_length;
  const levels = page.subarray(levelsBegin);
  if (hasLevels && !areSoundRuns(levels, 1, count)) throw new RangeError('endless levels');
  if (['PLAIN', 'DELTA_LENGTH_BYTE_ARRAY', 'DELTA_BYTE_ARRAY'].includes(encoding)) return;
  if (!encoding.endsWith('_DICTIONARY')) throw new TypeError(`the encoding ${encoding}`);
  const begin = v2 !== undefined ? levelsEnd(v2) : hasLevels ? 4 + viewOf(page).getUint32(0, true) : 0;
  const indices = page.subarray(begin + 1);
  if (!areSoundRuns(indices, page[begin] ?? 0, count)) throw new RangeError('endless indices');
}

function levelsEnd(v2: NonNullable<PageHeader['data_page_header_v2']>): number {
  return v2.repetition_levels_byte_length + v2.definition_levels_byte_length;
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
