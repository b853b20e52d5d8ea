/** Formats of caption files: chooses one by a file's name, and reads it from disk, compressed or not. */

import { LincirError, parseJsonLine, quoted, shortJson } from '../core/index.ts';
import { fileSource, readLines } from '../files/index.ts';
import { bytesOf, type CaptionFile, type Packing } from '../tables/index.ts';
import { delimitedRows } from './delimited.ts';
import { parquetRows } from './parquet.ts';
import { noSuchColumn, type Row } from './rows.ts';

interface CaptionFormat {
  /** The unit in messages: lines of a text, rows of a table. */
  readonly unit: 'line' | 'row';
  /** All rows of a file, some hundreds or thousands at a time, in bounded memory. */
  readonly rows: (
    file: CaptionFile,
    columns: readonly string[],
  ) => AsyncGenerator<readonly Row[], void, void>;
}

type TextReader = (
  chunks: AsyncIterable<Buffer>,
  subject: string,
  columns: readonly string[],
) => AsyncGenerator<readonly Row[], void, void>;

const textReaders: Readonly<Record<string, TextReader>> = {
  txt: textRows,
  jsonl: jsonRows,
  ndjson: jsonRows,
  csv: (chunks, subject, columns) => delimitedRows(chunks, subject, ',', columns),
  tsv: (chunks, subject, columns) => delimitedRows(chunks, subject, '\t', columns),
};

const parquet: CaptionFormat = {
  unit: 'row',
  async *rows({ path }, columns) {
    yield* parquetRows(await fileSource(path), columns);
  },
};

const rowsPerBatch = 2048;

/** The format of a name's extension, in any case. Throws LincirError 'bad-argument' listing all formats. */
export function formatOf(path: string): CaptionFormat {
  const [, extension = '', packing] = /\.([a-z]+?)(?:\.(gz|zst))?$/.exec(path.toLowerCase()) ?? [];
  if (extension === 'parquet' && packing === undefined) return parquet;
  const read = Object.hasOwn(textReaders, extension) ? textReaders[extension] : undefined;
  if (read !== undefined) {
    return {
      unit: 'line',
      rows: (file, columns) => read(bytesOf(file, packing as Packing | undefined), file.path, columns),
    };
  }
  const texts = Object.keys(textReaders).map((name) => `.${name}`);
  throw new LincirError('bad-argument', {
    subject: path,
    expected: `captions in a file whose name ends in ${texts.join(', ')} (each also with .gz or .zst) or .parquet`,
    found: 'another name',
    todo: 'rename it if it is one of these, or leave it out',
  });
}

/** A caption a line. */
async function* textRows(
  chunks: AsyncIterable<Buffer>,
  subject: string,
): AsyncGenerator<readonly Row[], void, void> {
  let at = 0;
  let rows: Row[] = [];
  for await (const caption of readLines(chunks, subject)) {
    at += 1;
    rows.push({ caption, at });
    if (rows.length < rowsPerBatch) continue;
    yield rows;
    rows = [];
  }
  yield rows;
}

/** JSON a line: an object with the caption under one of the keys, or the caption itself. */
async function* jsonRows(
  chunks: AsyncIterable<Buffer>,
  subject: string,
  columns: readonly string[],
): AsyncGenerator<readonly Row[], void, void> {
  for await (const rows of textRows(chunks, subject)) {
    yield rows.map(({ caption: line, at }) => ({
      caption: captionIn(line!, `${subject}: line ${at}`, columns),
      at,
    }));
  }
}

function captionIn(line: string, subject: string, columns: readonly string[]): string | null {
  if (line.trim() === '') return '';
  const refuse = (expected: string, found: string) =>
    new LincirError('bad-file', { subject, expected, found });
  const value = parseJsonLine(line, subject);
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw refuse('a JSON object or string', quoted(line));
  }
  const column = columns.find((name) => Object.hasOwn(value, name));
  if (column === undefined) throw noSuchColumn(subject, columns, Object.keys(value));
  const caption = (value as Readonly<Record<string, unknown>>)[column];
  if (typeof caption === 'string' || caption === null) return caption;
  throw refuse(`a string or null as ${quoted(column)}`, shortJson(caption));
}
