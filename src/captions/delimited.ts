/** Captions in CSV and TSV: one column of records that may span lines. */

import { LincirError, parseDelimited } from '../core/index.ts';
import { noSuchColumn, type Row } from './rows.ts';

/** No field is this long, in bytes: a lost quote is not to fill the memory. */
const fieldLimit = 2 ** 20;

/**
 * The rows below a header, some at a time; `at` is the line where a record begins. Quoted fields may hold line ends, and
 * doubled quotes for quotes. TSV is often written without quoting: there, a quote that does not enclose a whole field is
 * a character like any other. A blank line is a row with an empty caption.
 * @param columns the column to read: the first of these that the header has
 * @throws LincirError 'bad-file' naming the line of a record that has more or fewer fields than the header, ill-placed
 *   quotes, a field of more than 1 MiB, or a caption that is not UTF-8, or listing the columns if none is wanted.
 */
export async function* delimitedRows(
  chunks: AsyncIterable<Buffer>,
  subject: string,
  delimiter: ',' | '\t',
  columns: readonly string[],
): AsyncGenerator<readonly Row[], void, void> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let header: readonly string[] | undefined;
  let column = 0;
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
    if (header === undefined) {
      const names = fields.map(decode);
      const wanted = columns.find((name) => names.includes(name));
      if (wanted === undefined) throw noSuchColumn(`${subject}: line ${line}`, columns, names);
      column = names.indexOf(wanted);
      header = names;
    } else if (isBlank) {
      rows.push({ caption: '', at: line });
    } else if (fields.length === header.length) {
      rows.push({ caption: decode(fields[column]!), at: line });
    } else {
      throw refuse(`${header.length} fields, as in the header`, `${fields.length}`);
    }
    line += 1;
    for (const field of fields) {
      for (let at = field.indexOf(0x0a); at >= 0; at = field.indexOf(0x0a, at + 1)) line += 1;
    }
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

const byteOrderMark = Buffer.from('\uFEFF');

/** The parser would take the mark for a part of the first name, even if that is quoted. */
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
