/** Reads captions from Parquet: one column of strings, page by page, from a disk or over a network. */

import type { SchemaTree } from 'hyparquet';
import { LincirError, listed, quoted } from '../core/index.ts';
import {
  brokenParquet,
  chunkOf,
  decoding,
  notUtf8,
  type ParquetFile,
  pageValues,
  readFooter,
  readingAhead,
  textParsers,
} from '../tables/index.ts';
import { noSuchColumn, type Row } from './rows.ts';

/** Bytes of one read, or more if a page is larger. */
const readSize = 2 ** 24;
const rowsPerBatch = 4096;

/**
 * The rows of a column of strings, some thousands at a time; `at` counts from 1. Reads little but the footer and the
 * column's own bytes. At most 32 MiB of these, or two pages, are in memory, with the captions of a page.
 * @param columns the column to read: the first of these that the file has and that is not nested in another
 * @throws LincirError 'bad-file' listing the columns if none is wanted, or those of strings if the wanted one is not;
 *   naming the row of bytes that are not UTF-8; for a broken file; and what `file.read` throws.
 */
export async function* parquetRows(
  file: ParquetFile,
  columns: readonly string[],
): AsyncGenerator<readonly Row[], void, void> {
  const footer = await readFooter(file);
  const { schema, groups } = footer;
  const column = columnOf(file, schema, columns);
  const chunks = decoding(file, () => groups.map((group) => chunkOf(file, footer, group, [schema, column])));
  const ahead = readingAhead(file, chunks, readSize);
  let at = 0;
  for (const chunk of chunks) {
    for await (const values of pageValues(ahead, chunk, textParsers)) {
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

function columnOf(file: ParquetFile, schema: SchemaTree, columns: readonly string[]): SchemaTree {
  const nameOf = ({ element }: SchemaTree) => element.name;
  const column = columns
    .map((name) => schema.children.find((child) => nameOf(child) === name))
    .find((child) => child !== undefined);
  if (column === undefined) {
    throw noSuchColumn(file.name, columns, schema.children.map(nameOf));
  }
  if (isStrings(column)) return column;
  throw new LincirError('bad-file', {
    subject: file.name,
    expected: `strings in the column ${quoted(nameOf(column))}`,
    found: column.element.type ?? 'nested values',
    todo: `choose a column of strings out of ${listed(schema.children.filter(isStrings).map(nameOf), 'none')}`,
  });
}

/** Old writers do not mark the byte arrays that are text. */
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

function captionOf(file: ParquetFile, value: unknown, at: number): string | null {
  if (typeof value === 'string' || value === null) return value;
  if (value !== notUtf8) throw brokenParquet(file, `a row, ${at}, without a value`);
  throw new LincirError('bad-file', {
    subject: `${file.name}: row ${at}`,
    expected: 'text in UTF-8',
    found: 'bytes that are not',
  });
}
