/** Reads metadata from Parquet: all columns, some rows at a time. */

import type { DecodedArray, RowGroup, SchemaTree } from 'hyparquet';
import { assembleNested } from 'hyparquet/src/assemble.js';
import { LincirError, quoted } from '../../core/index.ts';
import { fileSource } from '../../files/index.ts';
import {
  brokenParquet,
  chunkOf,
  decoding,
  type ParquetFile,
  type ParquetFooter,
  pageValues,
  readFooter,
  readingAhead,
} from '../../tables/index.ts';
import { notUtf8, parsersFor, relabelled, scalarOf } from './parquet-values.ts';
import { type MetadataBatch, type MetadataRow, type MetadataValue, valueLimit } from './types.ts';

/** Limit of a row group's compressed bytes. Metadata has far fewer. */
const groupLimit = 2 ** 30;
/** Bytes of one read of a column, or more if a page is larger. */
const readSize = 2 ** 20;
/** About so many bytes of a row group become rows at once, within these numbers of rows. */
const bytesPerBatch = 2 ** 24;
const rowsPerBatch = { least: 2048, most: 2 ** 14 };

/** Returns so many of a column's next values. */
type Take = (count: number) => Promise<readonly unknown[]>;

/**
 * The rows of a file, about 16 MiB of them at a time, nested values as JSON text.
 * @throws LincirError 'bad-file' naming the row of what is not UTF-8 or longer than 1 MiB, and for a broken file or one
 *   whose row groups take more than 1 GiB; and what reading throws.
 */
export async function* parquetBatches(path: string): AsyncGenerator<MetadataBatch, void, void> {
  const file = await fileSource(path);
  const footer = await readFooter(file);
  const { schema, groups } = footer;
  const columns = schema.children.map(({ element }) => element.name);
  if (columns.some((name) => typeof name !== 'string')) throw brokenParquet(file, 'a column without a name');
  yield { columns, rows: [] };
  let at = 0;
  for (const group of groups) {
    checkSize(file, group);
    const takes = schema.children.map((column) => takerOf(file, footer, group, column));
    const step = rowsAtOnce(group);
    for (let left = Number(group.num_rows); left > 0; left -= step) {
      const count = Math.min(step, left);
      const values: (readonly unknown[])[] = [];
      for (const take of takes) values.push(await take(count));
      const rows = Array.from({ length: count }, (_, row): MetadataRow => {
        at += 1;
        return { values: values.map((column, place) => checked(file, column[row], columns[place]!, at)), at };
      });
      yield { columns, rows };
    }
  }
}

/** Throws if a row group is too large for the memory. */
function checkSize({ name }: ParquetFile, { columns }: RowGroup): void {
  const bytes = columns.reduce(
    (sum, { meta_data }) => sum + Number(meta_data?.total_compressed_size ?? 0),
    0,
  );
  if (bytes <= groupLimit) return;
  throw new LincirError('bad-file', {
    subject: name,
    expected: `row groups of at most ${groupLimit} bytes`,
    found: `one of ${bytes}`,
    todo: 'write it with smaller row groups, and without columns of images',
  });
}

function rowsAtOnce({ num_rows, total_byte_size }: RowGroup): number {
  const rows = Math.floor((Number(num_rows) * bytesPerBatch) / Math.max(1, Number(total_byte_size) || 1));
  return Math.max(rowsPerBatch.least, Math.min(rowsPerBatch.most, rows));
}

function takerOf(file: ParquetFile, footer: ParquetFooter, group: RowGroup, column: SchemaTree): Take {
  const pages = columnValues(file, footer, group, column);
  let page: DecodedArray = [];
  let used = 0;
  return async (count) => {
    const values: unknown[] = [];
    while (values.length < count) {
      if (used === page.length) {
        const { value } = await pages.next();
        if (value === undefined) throw brokenParquet(file, 'a row group that lacks rows');
        [page, used] = [value, 0];
      }
      const end = Math.min(page.length, used + count - values.length);
      for (; used < end; used += 1) values.push(page[used]);
    }
    return values;
  };
}

/** The values of a column: page by page, or all at once if it is nested. */
async function* columnValues(
  file: ParquetFile,
  footer: ParquetFooter,
  group: RowGroup,
  column: SchemaTree,
): AsyncGenerator<DecodedArray, void, void> {
  const parts = new Map<string, DecodedArray>();
  for (const path of leafPaths([footer.schema, column])) {
    const chunk = decoding(file, () => chunkOf(file, footer, group, path));
    const { element } = chunk.column;
    const labelled = { ...chunk, column: { ...chunk.column, element: relabelled(element) } };
    const pages = pageValues(readingAhead(file, [chunk], readSize), labelled, parsersFor(element));
    if (path.length > 2)
      for await (const values of pages) parts.set(chunk.column.pathInSchema.join('.'), values);
    else yield* pages;
  }
  if (parts.size === 0) return;
  yield decoding(file, () => {
    assembleNested(parts, column, parsersFor(column.element));
    return parts.get(column.path.join('.'))!;
  });
}

function leafPaths(path: SchemaTree[]): SchemaTree[][] {
  const { children } = path.at(-1)!;
  return children.length === 0 ? [path] : children.flatMap((child) => leafPaths([...path, child]));
}

function checked(file: ParquetFile, value: unknown, name: string, at: number): MetadataValue {
  const refuse = (expected: string, found: string) =>
    new LincirError('bad-file', {
      subject: `${file.name}: row ${at}, column ${quoted(name)}`,
      expected,
      found,
      todo: 'leave this column out if it is not text',
    });
  const scalar = scalarOf(value);
  if (scalar === notUtf8) throw refuse('text in UTF-8', 'bytes that are not');
  if (typeof scalar === 'string' && scalar.length > valueLimit) {
    throw refuse(`at most ${valueLimit} characters`, `${scalar.length}`);
  }
  return scalar;
}
