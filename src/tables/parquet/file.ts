/** A Parquet file: reads its footer, and finds the parts of its columns. */
// The format: https://parquet.apache.org/docs/file-format/

import { type FileMetaData, parquetMetadata, parquetSchema, type RowGroup, type SchemaTree } from 'hyparquet';
import { brokenParquet, decoding, isSoundThrift, type ParquetFile } from './checks.ts';
import type { Chunk } from './pages.ts';

export interface ParquetFooter {
  readonly metadata: FileMetaData;
  readonly schema: SchemaTree;
  /** Those that have rows. */
  readonly groups: readonly RowGroup[];
}

/** Size of the file's end to read first, which nearly always has the whole footer. */
const tailSize = 2 ** 19;
/** Far more than any writer's footer. */
const footerLimit = 2 ** 26;
/** Reading so many bytes in vain takes no longer than another request. */
const gapLimit = 2 ** 18;

/** Throws 'bad-file' for a file that is cut short, encrypted or not Parquet, and what `file.read` throws. */
export async function readFooter(file: ParquetFile): Promise<ParquetFooter> {
  const length = Math.min(file.size, tailSize);
  const tail = await file.read(file.size - length, length);
  const end = Buffer.from(tail.slice(-4)).toString('latin1');
  if (length >= 12 && end === 'PARE') throw brokenParquet(file, 'an encrypted one');
  if (length < 12 || end !== 'PAR1') {
    throw brokenParquet(file, 'one that does not end in PAR1: it is cut short, or not Parquet');
  }
  const footerLength = Buffer.from(tail.slice(-8)).readUint32LE() + 8;
  if (footerLength > Math.min(file.size - 4, footerLimit)) {
    throw brokenParquet(file, `a footer of ${footerLength} bytes`);
  }
  const begin = file.size - footerLength;
  const footer = footerLength <= length ? tail.slice(-footerLength) : await file.read(begin, footerLength);
  if (!isSoundThrift(footer)) throw brokenParquet(file, 'a footer that makes no sense');
  return decoding(file, () => {
    const metadata = parquetMetadata(footer, { geoparquet: false });
    const groups = metadata.row_groups.filter(({ num_rows }) => num_rows !== 0n);
    const rows = groups.reduce((sum, { num_rows }) => sum + Number(num_rows), 0);
    const isSound = groups.every(({ num_rows }) => num_rows > 0n) && rows === Number(metadata.num_rows);
    if (isSound) return { metadata, schema: parquetSchema(metadata), groups };
    throw brokenParquet(file, `${rows} rows in its row groups, and ${metadata.num_rows} in all`);
  });
}

/**
 * The part of a column in a row group.
 * @param schemaPath from the root to the column, which is a leaf
 */
export function chunkOf(
  file: ParquetFile,
  { metadata }: ParquetFooter,
  { columns, num_rows }: RowGroup,
  schemaPath: SchemaTree[],
): Chunk {
  const { element, path } = schemaPath.at(-1)!;
  const part = columns.find(({ meta_data }) => {
    const found = meta_data?.path_in_schema;
    return found?.length === path.length && found.every((name, depth) => name === path[depth]);
  });
  if (part?.crypto_metadata !== undefined || columns.some((column) => column.encrypted_column_metadata)) {
    throw brokenParquet(file, 'one of encrypted columns');
  }
  if (part?.meta_data === undefined || part.file_path !== undefined) {
    throw brokenParquet(file, 'a row group whose data are elsewhere');
  }
  const { dictionary_page_offset, data_page_offset, total_compressed_size, codec } = part.meta_data;
  const dataEnd = file.size - metadata.metadata_length - 8;
  const begin = Number(dictionary_page_offset || data_page_offset);
  const end = begin + Number(total_compressed_size);
  const rows = Number(num_rows);
  if (!(begin >= 4 && end >= begin && end <= dataEnd)) {
    throw brokenParquet(file, `a row group of ${rows} rows in bytes ${begin} to ${end} of ${dataEnd}`);
  }
  return {
    begin,
    end,
    rows,
    column: { pathInSchema: path, type: element.type!, element, schemaPath, codec },
  };
}

/**
 * The same file, read ahead for as long as the column continues with little else between its chunks.
 * @param readSize bytes of one read, or more if a page is larger
 */
export function readingAhead(file: ParquetFile, chunks: readonly Chunk[], readSize: number): ParquetFile {
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
  return { name: file.name, size: file.size, read };
}
