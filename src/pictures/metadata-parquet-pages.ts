/** What the pages of a Parquet file say of their sizes, checked before hyparquet takes memory or time on their word. */

import { brotliDecompressSync, unzipSync, zstdDecompressSync } from 'node:zlib';
import type { ColumnMetaData, Compressors, FileMetaData, RowGroup, SchemaTree } from 'hyparquet';
import { parquetHeader } from 'hyparquet/src/column.js';
import { decompressPage } from 'hyparquet/src/datapage.js';
import { getMaxDefinitionLevel, getMaxRepetitionLevel, getSchemaPath } from 'hyparquet/src/schema.js';
import { compressors as allCompressors } from 'hyparquet-compressors';
import { areSoundRuns, brokenParquet, decoding, isSoundThrift, type ParquetFile } from '../captions/index.ts';

type PageHeader = ReturnType<typeof parquetHeader>;

/** A page's header is short, but may quote the least and the greatest value. */
const headerLimit = 2 ** 20;
/** Far more than any writer's default. */
const pageLimit = 2 ** 28;
const valuesLimit = 2 ** 24;

/** Those of Node are faster, and stop at the size that the page's header tells. */
export const compressors: Compressors = {
  ...allCompressors,
  GZIP: (input, size) => unzipSync(input, { maxOutputLength: Math.max(1, size) }),
  ZSTD: (input, size) => zstdDecompressSync(input, { maxOutputLength: Math.max(1, size) }),
  BROTLI: (input, size) => brotliDecompressSync(input, { maxOutputLength: Math.max(1, size) }),
};

/**
 * Reads all pages of a row group, one by one, and decodes none.
 * @throws LincirError 'bad-file' for pages whose sizes cannot be, that would take more memory than their values need,
 *   or that do not make up the row group; and what `file.read` throws.
 */
export async function checkPages(file: ParquetFile, metadata: FileMetaData, group: RowGroup): Promise<void> {
  for (const { meta_data } of group.columns) {
    const schemaPath = decoding(file, () => getSchemaPath(metadata.schema, meta_data!.path_in_schema));
    const values = await checkedValues(file, meta_data!, schemaPath);
    // A list's rows have any number of values.
    const isSound = getMaxRepetitionLevel(schemaPath) > 0 || values === Number(group.num_rows);
    if (!isSound) throw brokenParquet(file, `${values} values in a row group of ${group.num_rows} rows`);
  }
}

/** How many values the pages of a column have. */
async function checkedValues(
  file: ParquetFile,
  column: ColumnMetaData,
  schemaPath: SchemaTree[],
): Promise<number> {
  const begin = Number(column.dictionary_page_offset || column.data_page_offset);
  const end = begin + Number(column.total_compressed_size);
  let values = 0;
  for (let position = begin; position < end; ) {
    const bytes = await file.read(position, Math.min(end - position, headerLimit));
    if (!isSoundThrift(bytes)) throw brokenParquet(file, `no page at byte ${position}`);
    const reader = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset: 0 };
    const header = decoding(file, () => parquetHeader(reader));
    position += reader.offset;
    const count = valuesIn(header, end - position);
    if (count === undefined) throw brokenParquet(file, `a page of impossible sizes at byte ${position}`);
    const packed = await file.read(position, header.compressed_page_size);
    position += packed.length;
    if (header.type === 'DICTIONARY_PAGE') continue;
    decoding(file, () => checkRuns(header, packed, column, schemaPath));
    values += count;
  }
  return values;
}

/** How many values a page has; undefined if its header tells sizes that cannot be. */
function valuesIn(header: PageHeader, bytesLeft: number): number | undefined {
  const { type, compressed_page_size, uncompressed_page_size, data_page_header_v2: v2 } = header;
  const details =
    type === 'DICTIONARY_PAGE'
      ? header.dictionary_page_header
      : type === 'DATA_PAGE'
        ? header.data_page_header
        : type === 'DATA_PAGE_V2'
          ? v2
          : undefined;
  const count = details?.num_values;
  const countLimit = type === 'DICTIONARY_PAGE' ? uncompressed_page_size : valuesLimit;
  const isSound =
    isWithin(compressed_page_size, bytesLeft) &&
    isWithin(uncompressed_page_size, pageLimit) &&
    isWithin(count, countLimit) &&
    (type !== 'DATA_PAGE_V2' || (isWithin(v2?.num_nulls, count) && isWithin(v2?.num_rows, count)));
  return isSound ? count : undefined;
}

function isWithin(value: number | undefined, limit: number): value is number {
  return value !== undefined && Number.isInteger(value) && value >= 0 && value <= limit;
}

/** Throws for a page whose runs of levels, booleans or places in a dictionary have no end. */
function checkRuns(
  header: PageHeader,
  packed: Uint8Array<ArrayBuffer>,
  { codec, type }: ColumnMetaData,
  schemaPath: SchemaTree[],
): void {
  const v2 = header.type === 'DATA_PAGE_V2' ? header.data_page_header_v2 : undefined;
  const { num_values: count, encoding } = (v2 ?? header.data_page_header)!;
  const levelsLength =
    v2 === undefined ? 0 : v2.repetition_levels_byte_length + v2.definition_levels_byte_length;
  if (!isWithin(levelsLength, packed.length)) throw new RangeError(`${levelsLength} bytes of levels`);
  const page = decompressPage(
    packed.subarray(levelsLength),
    header.uncompressed_page_size - levelsLength,
    v2?.is_compressed === false ? 'UNCOMPRESSED' : codec,
    compressors,
  );
  const lengths = [v2?.repetition_levels_byte_length, v2?.definition_levels_byte_length];
  const levels = v2 === undefined ? page : packed;
  let at = 0;
  for (const [index, max] of [
    getMaxRepetitionLevel(schemaPath),
    getMaxDefinitionLevel(schemaPath),
  ].entries()) {
    if (max > 0) {
      const begin = v2 === undefined ? at + 4 : at;
      const width = 32 - Math.clz32(max);
      if (!areSoundRuns(levels.subarray(begin), width, count)) throw new RangeError('endless levels');
      at = begin + (lengths[index] ?? lengthAt(page, at));
    }
  }
  const values = v2 === undefined ? page.subarray(at) : page;
  const isIndices = encoding.endsWith('_DICTIONARY');
  if (!isIndices && encoding !== 'RLE') return;
  const isBoolean = type === 'BOOLEAN';
  const [begin, width] = isBoolean ? [4, 1] : [1, values[0] ?? 0];
  if (width > 32 || !areSoundRuns(values.subarray(begin), width, count))
    throw new RangeError('endless values');
}

/** The four bytes before a first version's levels. */
function lengthAt(page: Uint8Array, at: number): number {
  return new DataView(page.buffer, page.byteOffset, page.byteLength).getUint32(at, true);
}
