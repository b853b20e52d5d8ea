/** Captions in Parquet: one column of strings, page by page, from a disk or over a network. */
// The format: https://parquet.apache.org/docs/file-format/

import { type FileMetaData, parquetMetadata, parquetSchema, type SchemaTree } from 'hyparquet';
import { LincirError, quoted } from '../core/index.ts';
import { brokenParquet, decoding, isSoundThrift, type ParquetFile } from './parquet-checks.ts';
import { type Chunk, notUtf8, pageValues } from './parquet-pages.ts';
import { listed, noSuchColumn, type Row } from './rows.ts';

/** The file's last bytes, which nearly always hold all of its footer. */
const tailSize = 2 ** 19;
/** One read asks for this much, or for one page if that is larger. */
const readSize = 2 ** 24;
/** To read so many bytes in vain takes no longer than to ask once more. */
const gapLimit = 2 ** 18;
/** Far more than any writer's footer. */
const footerLimit = 2 ** 26;
const rowsPerBatch = 4096;

/**
 * The rows of a column of strings, some thousands at a time; `at` counts from 1. Little but the footer
 * and the column's own bytes is read, and at most 32 MiB of them, or two pages, are in memory with the captions of a page.
 * @param columns the column to read: the first of these that the file has; none that is nested in another
 * @throws LincirError 'bad-file' listing the columns if none is wanted, or those of strings if the wanted one is not;
 *   naming the row of bytes that are not UTF-8; for a broken file; and what `file.read` throws.
 */
export async function* parquetRows(
  file: ParquetFile,
  columns: readonly string[],
): AsyncGenerator<readonly Row[], void, void> {
  const metadata = await readFooter(file);
  const chunks = decoding(file, () => {
    const schema = parquetSchema(metadata);
    return chunksOf(file, metadata, schema, columnOf(file, schema, columns));
  });
  const ahead = readingAhead(file, chunks);
  let at = 0;
  for (const chunk of chunks) {
    for await (const values of pageValues(ahead, chunk)) {
      for (let begin = 0; begin < values.length; begin += rowsPerBatch) {
        const rows: Row[] = [];
        for (const value of values.slice(begin, begin + rowsPerBatch)) {
          at += 1;
          rows.push({ caption: captionOf(file, value, at), at });
        }
        yield rows;
      }
    }
  }
}

async function readFooter(file: ParquetFile): Promise<FileMetaData> {
  const length = Math.min(file.size, tailSize);
  const tail = await file.read(file.size - length, length);
  if (length < 12 || Buffer.from(tail.slice(-4)).toString('latin1') !== 'PAR1') {
    throw brokenParquet(file, 'one that does not end in PAR1: it is cut short, or no Parquet');
  }
  const footerLength = Buffer.from(tail.slice(-8)).readUint32LE() + 8;
  if (footerLength > Math.min(file.size - 4, footerLimit)) {
    throw brokenParquet(file, `a footer of ${footerLength} bytes`);
  }
  const begin = file.size - footerLength;
  const footer = footerLength <= length ? tail.slice(-footerLength) : await file.read(begin, footerLength);
  if (!isSoundThrift(footer)) throw brokenParquet(file, 'a footer that makes no sense');
  return decoding(file, () => parquetMetadata(footer, { geoparquet: false }));
}

function columnOf(file: ParquetFile, schema: SchemaTree, columns: readonly string[]): SchemaTree {
  const nameOf = ({ element }: SchemaTree) => element.name;
  const column = columns
    .map((name) => schema.children.find((child) => nameOf(child) === name))
    .find((child) => child !== undefined);
  if (column === undefined) {
    throw noSuchColumn(file.path, columns, schema.children.map(nameOf));
  }
  if (isStrings(column)) return column;
  throw new LincirError('bad-file', {
    subject: file.path,
    expected: `strings in the column ${quoted(nameOf(column))}`,
    found: column.element.type ?? 'nested values',
    todo: `choose a column of strings out of ${listed(schema.children.filter(isStrings).map(nameOf))}`,
  });
}

/** Old writers do not say which of their byte arrays are text. */
function isStrings({ element, children }: SchemaTree): boolean {
  const { type, converted_type, logical_type, repetition_type } = element;
  const isText = (kind: string | undefined) => [undefined, 'UTF8', 'STRING', 'ENUM'].includes(kind);
  return (
    type === 'BYTE_ARRAY' &&
    children.length === 0 &&
    repetition_type !== 'REPEATED' &&
    isText(converted_type) &&
    isText(logical_type?.type)
  );
}

/** The column's part in every row group that has rows. */
function chunksOf(
  file: ParquetFile,
  metadata: FileMetaData,
  schema: SchemaTree,
  column: SchemaTree,
): readonly Chunk[] {
  const { element, path } = column;
  const dataEnd = file.size - metadata.metadata_length - 8;
  const groups = metadata.row_groups.filter(({ num_rows }) => num_rows !== 0n);
  const chunks = groups.map(({ columns, num_rows }): Chunk => {
    const part = columns.find(({ meta_data }) => {
      const [name, ...nested] = meta_data?.path_in_schema ?? [];
      return name === element.name && nested.length === 0;
    });
    if (part?.meta_data === undefined || part.file_path !== undefined) {
      throw brokenParquet(file, 'a row group whose data are elsewhere');
    }
    const { dictionary_page_offset, data_page_offset, total_compressed_size, codec } = part.meta_data;
    const begin = Number(dictionary_page_offset || data_page_offset);
    const end = begin + Number(total_compressed_size);
    const rows = Number(num_rows);
    if (!(begin >= 4 && end >= begin && end <= dataEnd && rows > 0)) {
      throw brokenParquet(file, `a row group of ${rows} rows in bytes ${begin} to ${end} of ${dataEnd}`);
    }
    const decoder = { pathInSchema: path, type: element.type!, element, schemaPath: [schema, column], codec };
    return { begin, end, rows, column: decoder };
  });
  const rows = chunks.reduce((sum, chunk) => sum + chunk.rows, 0);
  if (rows === Number(metadata.num_rows)) return chunks;
  throw brokenParquet(file, `${rows} rows in its row groups, and ${metadata.num_rows} in all`);
}

/** The same file, read ahead: as far as the column goes on without much else between its chunks. */
function readingAhead(file: ParquetFile, chunks: readonly Chunk[]): ParquetFile {
  let begin = 0;
  let bytes = new Uint8Array();
  const read = async (offset: number, length: number) => {
    if (offset < begin || offset + length > begin + bytes.length) {
      let end = offset + length;
      for (const chunk of chunks) {
        if (chunk.begin - end > gapLimit) break;
        end = Math.max(end, Math.min(chunk.end, offset + readSize));
      }
      bytes = await file.read(offset, end - offset);
      begin = offset;
    }
    return bytes.subarray(offset - begin, offset - begin + length);
  };
  return { path: file.path, size: file.size, read };
}

function captionOf(file: ParquetFile, value: unknown, at: number): string | null {
  if (typeof value === 'string' || value === null) return value;
  if (value !== notUtf8) throw brokenParquet(file, `a row, ${at}, without a value`);
  throw new LincirError('bad-file', {
    subject: `${file.path}: row ${at}`,
    expected: 'text in UTF-8',
    found: 'bytes that are not',
  });
}
