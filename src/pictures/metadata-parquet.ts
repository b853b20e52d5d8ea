/** Metadata out of Parquet: all columns, some rows at a time. */

import {
  type AsyncBuffer,
  type FileMetaData,
  parquetMetadata,
  parquetRead,
  parquetSchema,
  type RowGroup,
  type SchemaTree,
} from 'hyparquet';
import { getPhysicalColumns } from 'hyparquet/src/schema.js';
import { brokenParquet, decoding, isSoundThrift, type ParquetFile } from '../captions/index.ts';
import { LincirError, quoted, readingFile } from '../core/index.ts';
import { checkPages, compressors } from './metadata-parquet-pages.ts';
import { type MetadataBatch, type MetadataValue, numberOf, valueLimit } from './metadata-types.ts';

/** Far more than any writer's footer, or the compressed bytes of a row group of metadata. */
const footerLimit = 2 ** 26;
const groupLimit = 2 ** 30;
/** So many bytes of a row group are decoded at once, about, and so many rows at the least and at the most. */
const bytesPerRead = 2 ** 24;
const rowsPerRead = { least: 2048, most: 2 ** 14 };

/** Stands for bytes that are not UTF-8 until it is known in which row they are. */
const notUtf8 = Symbol('not UTF-8');
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const parsers = { stringFromBytes: textOf, jsonFromBytes: textOf };

/**
 * The rows of a file, about 16 MiB of them at a time, nested values as JSON text.
 * @throws LincirError 'bad-file' naming the row of what is not UTF-8 or longer than 1 MiB, and for a broken file or one
 *   whose row groups take more than 1 GiB; and what reading throws.
 */
export async function* parquetBatches(path: string): AsyncGenerator<MetadataBatch, void, void> {
  const size = await readingFile(path, async (opened) => opened.size);
  const file: ParquetFile = {
    ...{ path, size },
    read: (offset, length) => readingFile(path, (opened) => opened.read(offset, length)),
  };
  const metadata = await readFooter(file);
  const tree = decoding(file, () => parquetSchema(metadata));
  const schema = tree.children;
  const columns = schema.map(({ element }) => element.name);
  if (columns.some((name) => typeof name !== 'string')) throw brokenParquet(file, 'a column without a name');
  decoding(file, () => checkGroups(file, metadata, getPhysicalColumns(tree)));
  yield { columns, rows: [] };
  let groupBegin = 0;
  for (const group of metadata.row_groups) {
    const groupEnd = groupBegin + Number(group.num_rows);
    if (groupEnd > groupBegin) await checkPages(file, metadata, group);
    const step = rowsAtOnce(group);
    for (let begin = groupBegin; begin < groupEnd; begin += step) {
      const read = await readRows(file, metadata, columns, begin, Math.min(begin + step, groupEnd));
      const rows = read.map((values, index) => {
        const at = begin + index + 1;
        return { values: schema.map((column, place) => metadataValue(file, column, values[place], at)), at };
      });
      yield { columns, rows };
    }
    groupBegin = groupEnd;
  }
}

async function readFooter(file: ParquetFile): Promise<FileMetaData> {
  const tail = Buffer.from(await file.read(Math.max(0, file.size - 8), Math.min(file.size, 8)));
  if (file.size < 12 || tail.toString('latin1', 4) !== 'PAR1') {
    throw brokenParquet(file, 'one that does not end in PAR1: it is cut short, or no Parquet');
  }
  const length = tail.readUInt32LE();
  if (length > Math.min(file.size - 12, footerLimit))
    throw brokenParquet(file, `a footer of ${length} bytes`);
  const footer = await file.read(file.size - 8 - length, length + 8);
  if (!isSoundThrift(footer)) throw brokenParquet(file, 'a footer that makes no sense');
  return decoding(file, () => parquetMetadata(footer.buffer, { geoparquet: false }));
}

/** Throws if a row group is not in the file, has other columns than `leaves`, or is too large for the memory. */
function checkGroups(file: ParquetFile, metadata: FileMetaData, leaves: readonly string[]): void {
  const dataEnd = file.size - metadata.metadata_length - 8;
  let rows = 0;
  for (const { columns, num_rows } of metadata.row_groups) {
    if (num_rows === 0n) continue;
    const paths = columns.map(({ meta_data }) => meta_data?.path_in_schema.join('.'));
    if (paths.length !== leaves.length || paths.some((path, index) => path !== leaves[index])) {
      throw brokenParquet(file, 'a row group of other columns');
    }
    let bytes = 0;
    for (const { meta_data, file_path } of columns) {
      if (meta_data === undefined || file_path !== undefined) {
        throw brokenParquet(file, 'a row group whose data are elsewhere');
      }
      const { dictionary_page_offset, data_page_offset, total_compressed_size } = meta_data;
      const begin = Number(dictionary_page_offset || data_page_offset);
      const length = Number(total_compressed_size);
      if (!(begin >= 4 && length >= 0 && begin + length <= dataEnd)) {
        throw brokenParquet(file, `a row group in bytes ${begin} to ${begin + length} of ${dataEnd}`);
      }
      bytes += length;
    }
    if (bytes > groupLimit) {
      throw new LincirError('bad-file', {
        subject: file.path,
        expected: `row groups of at most ${groupLimit} bytes`,
        found: `one of ${bytes}`,
        todo: 'write it with smaller row groups, and without columns of pictures',
      });
    }
    if (!(num_rows > 0n)) throw brokenParquet(file, `a row group of ${num_rows} rows`);
    rows += Number(num_rows);
  }
  if (rows !== Number(metadata.num_rows)) {
    throw brokenParquet(file, `${rows} rows in its row groups, and ${metadata.num_rows} in all`);
  }
}

function rowsAtOnce({ num_rows, total_byte_size }: RowGroup): number {
  const rows = Math.floor((Number(num_rows) * bytesPerRead) / Math.max(1, Number(total_byte_size) || 1));
  return Math.max(rowsPerRead.least, Math.min(rowsPerRead.most, rows));
}

/** Rows `rowStart` to `rowEnd` of the file. */
async function readRows(
  file: ParquetFile,
  metadata: FileMetaData,
  columns: string[],
  rowStart: number,
  rowEnd: number,
): Promise<readonly (readonly unknown[])[]> {
  const buffer: AsyncBuffer = {
    byteLength: file.size,
    slice: async (begin, end = file.size) => (await file.read(begin, end - begin)).buffer,
  };
  let rows: readonly (readonly unknown[])[] = [];
  try {
    await parquetRead({
      ...{ file: buffer, metadata, columns, rowStart, rowEnd, compressors, parsers },
      onComplete: (read) => {
        rows = read;
      },
    });
  } catch (error) {
    decoding(file, () => {
      throw error;
    });
  }
  if (rows.length === rowEnd - rowStart) return rows;
  throw brokenParquet(file, `${rows.length} in place of ${rowEnd - rowStart} rows`);
}

/** Integers that float64 cannot hold become text, as do times, bytes and all that is nested; NaN is null. */
function metadataValue(
  file: ParquetFile,
  { element, children }: SchemaTree,
  value: unknown,
  at: number,
): MetadataValue {
  const refuse = (expected: string, found: string) =>
    new LincirError('bad-file', {
      subject: `${file.path}: row ${at}, column ${quoted(element.name)}`,
      expected,
      found,
      todo: 'leave this column out if it is not text',
    });
  if (value === undefined) {
    // What hyparquet gives for a list or structure that is null.
    if (children.length > 0) return null;
    throw brokenParquet(file, `a row, ${at}, without a value`);
  }
  const scalar = scalarOf(value);
  if (scalar === notUtf8) throw refuse('text in UTF-8', 'bytes that are not');
  if (typeof scalar === 'string' && scalar.length > valueLimit) {
    throw refuse(`at most ${valueLimit} characters`, `${scalar.length}`);
  }
  return scalar;
}

/** A value of hyparquet's as metadata. */
export function scalarOf(value: unknown): MetadataValue | typeof notUtf8 {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value === 'bigint') return numberOf(String(value));
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value;
  if (value === notUtf8) return notUtf8;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  let isText = true;
  const json = JSON.stringify(value, (_key, inner: unknown) => {
    if (inner === notUtf8) isText = false;
    return typeof inner === 'bigint' || inner instanceof Uint8Array ? scalarOf(inner) : inner;
  });
  return isText ? json : notUtf8;
}

function textOf(bytes: Uint8Array | undefined): string | typeof notUtf8 | undefined {
  try {
    return bytes && utf8.decode(bytes);
  } catch {
    return notUtf8;
  }
}
