/** Reads captions from CSV and TSV: one column of records, which may span lines. */

import { LincirError, quoted } from '../core/index.ts';
import { fieldCount, parseDelimited } from '../tables/index.ts';
import { noSuchColumn, type Row } from './rows.ts';

/** Limit of a field in bytes, so that a lost quote does not fill the memory. */
const fieldLimit = 2 ** 20;

/** The column of a file's captions. */
interface Place {
  readonly hasHeader: boolean;
  /** Fields of a row. */
  readonly width: number;
  /** From 0. */
  readonly column: number;
}

/**
 * The rows below a header, some at a time; `at` is the line where a record begins. Quoted fields may have line ends, and
 * doubled quotes for quotes. TSV is often written without quoting: there, a quote that does not enclose a whole field is
 * an ordinary character. A blank line is a row with an empty caption. A row that ends before the column has none.
 * @param columns the column to read: the first of these that the header has. If it has none of them and one is a number,
 *   there is no header, and the column with this number, from 1, is read from the first row on.
 * @throws LincirError 'bad-file' naming the line of a record that has more fields than the header, ill-placed
 *   quotes, a field of more than 1 MiB, or a caption that is not UTF-8, or listing the columns if none is wanted.
 */
export async function* delimitedRows(
  chunks: AsyncIterable<Buffer>,
  subject: string,
  delimiter: ',' | '\t',
  columns: readonly string[],
): AsyncGenerator<readonly Row[], void, void> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let place: Place | undefined;
  let line = 1;
  let rows: Row[] = [];

  const refuse = (expected: string, found: string, cause?: unknown) =>
    new LincirError('bad-file', { subject: `${subject}: line ${line}`, expected, found, cause });
  const decode = (bytes: Uint8Array): string => {
    try {
      return decoder.decode(bytes);
    } catch (cause) {
      throw refuse('text in UTF-8', 'bytes that are not', cause);
    }
  };
  const take = (fields: readonly Uint8Array[]): void => {
    const isBlank = fields.length === 1 && fields[0]!.length === 0;
    const isHeader = place === undefined && !isBlank;
    if (isHeader) place = placeOf(fields.map(decode), columns, `${subject}: line ${line}`);
    if (place !== undefined && !(isHeader && place.hasHeader)) {
      if (fieldCount(fields, place.width) > place.width) {
        const first = place.hasHeader ? 'header' : 'first row';
        throw refuse(`at most ${place.width} fields, as in the ${first}`, `${fields.length}`);
      }
      const caption = fields[place.column];
      rows.push({ caption: isBlank ? '' : caption === undefined ? null : decode(caption), at: line });
    }
    line += 1;
    for (const field of fields) line += lineEnds(field);
  };

  const source = withoutByteOrderMark(chunks);
  for await (const _ of parseDelimited(source, {
    ...{ delimiter, fields: 'bytes', limit: fieldLimit },
    ...{ take, refuse },
  })) {
    yield rows;
    rows = [];
  }
}

function placeOf(fields: readonly string[], columns: readonly string[], subject: string): Place {
  const width = fields.length;
  const first = fields.map((name) => name.trim());
  const name = columns.map((wanted) => wanted.trim()).find((wanted) => first.includes(wanted));
  if (name === undefined) {
    const number = columns
      .map(Number)
      .find((wanted) => Number.isInteger(wanted) && wanted >= 1 && wanted <= width);
    if (number !== undefined) return { hasHeader: false, width, column: number - 1 };
    const todo =
      'choose one of these or, if this is a caption and no header, the number of its column, from 1';
    throw noSuchColumn(subject, columns, first, todo);
  }
  const column = first.indexOf(name);
  if (first.lastIndexOf(name) === column) return { hasHeader: true, width, column };
  throw new LincirError('bad-file', {
    subject,
    expected: `the column ${quoted(name)} once`,
    found: 'it twice',
    todo: 'rename one of them',
  });
}

function lineEnds(field: Uint8Array): number {
  let count = 0;
  for (let at = field.indexOf(0x0a); at >= 0; at = field.indexOf(0x0a, at + 1)) count += 1;
  for (let at = field.indexOf(0x0d); at >= 0; at = field.indexOf(0x0d, at + 1)) {
    if (field[at + 1] !== 0x0a) count += 1;
  }
  return count;
}

const byteOrderMark = Buffer.from('\uFEFF');

/** The parser would take the byte order mark as part of the first name, even if that is quoted. */
async function* withoutByteOrderMark(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, void> {
  let begin: Buffer | undefined = Buffer.alloc(0);
  for await (const chunk of chunks) {
    if (begin === undefined) {
      yield chunk;
      continue;
    }
    begin = Buffer.concat([begin, chunk]);
    if (begin.length < byteOrderMark.length) continue;
    yield begin.subarray(begin.indexOf(byteOrderMark) === 0 ? byteOrderMark.length : 0);
    begin = undefined;
  }
  if (begin !== undefined) yield begin;
}
