/** Parses CSV and TSV, a record at a time, in bounded memory. */

import { CsvError, parse } from 'csv-parse';
import { type LincirError, unquoted } from '../core/index.ts';

interface DelimitedOptions<Field extends string | Uint8Array> {
  readonly delimiter: ',' | '\t';
  /** Form of fields: decoded, or bytes, because the parser's decoding turns invalid UTF-8 into U+FFFD. */
  readonly fields: Field extends string ? 'text' : 'bytes';
  /** Limit of a field, in bytes or characters, so that a lost quote does not fill the memory. */
  readonly limit: number;
  /** Called for every record, however many fields it has. */
  readonly take: (fields: readonly Field[]) => void;
  /** Makes an error about the current line. */
  readonly refuse: (expected: string, found: string, cause: unknown) => LincirError;
}

/**
 * Parses chunks, and yields after each of them, when its records have been taken. Quoted fields may have line ends, and
 * doubled quotes for quotes. TSV is often written without quoting: there, a quote that does not enclose a whole field is
 * an ordinary character. If a space follows every delimiter of the first line, as in `path, rating`, spaces after
 * delimiters do not belong to fields. Throws what `refuse` returns for ill-placed quotes, and what `take` throws.
 */
export async function* parseDelimited<Field extends string | Uint8Array>(
  chunks: AsyncIterable<Field>,
  { delimiter, fields, limit, take, refuse }: DelimitedOptions<Field>,
): AsyncGenerator<void, void, void> {
  const malformations: Readonly<Record<string, string>> = {
    CSV_INVALID_CLOSING_QUOTE: 'text after the quote that ends a field',
    CSV_MAX_RECORD_SIZE: `more than ${limit} bytes without an end; was a quote lost?`,
    CSV_QUOTE_NOT_CLOSED: 'a quote without an end',
    INVALID_OPENING_QUOTE: 'a quote inside a field that does not begin with one',
  };
  const { firstLine, all } = await peeked(chunks, limit);
  const [, ...afterDelimiters] = firstLine.split(delimiter);
  const parser = parse({
    delimiter,
    ltrim: afterDelimiters.length > 0 && afterDelimiters.every((text) => text.startsWith(' ')),
    encoding: fields === 'bytes' ? null : 'utf8',
    record_delimiter: ['\r\n', '\n', '\r'],
    max_record_size: limit,
    relax_quotes: delimiter === '\t',
    // Checked in `take`, whose message can name the header's columns.
    relax_column_count: true,
    // The parser passes no records on, because a stream of single records would be slower.
    on_record: (record: unknown) => {
      // It makes an error for every record of another length than the first, and throws it away: half a minute for a million
      // blank lines. So each record counts as the first.
      Object.assign(parser.info, { records: 0 });
      take(record as readonly Field[]);
      return null;
    },
  });
  // The error also goes to the callback of the write that caused it.
  parser.on('error', () => {});
  const settled = (act: (done: (error?: Error | null) => void) => void) =>
    new Promise<void>((resolve, reject) => {
      act((error) => (error == null ? resolve() : reject(error)));
    });
  try {
    for await (const chunk of all) {
      await settled((done) => parser.write(chunk, done));
      yield;
    }
    await settled((done) => parser.end(done));
    yield;
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const found = malformations[error.code] ?? unquoted(error.message, 200);
    throw refuse('fields that are quoted as a whole, with inner quotes doubled, or not at all', found, error);
  } finally {
    parser.destroy();
  }
}

/** How many fields of a record count: as in Python's `csv.DictReader`, empty ones beyond the header do not. */
export function fieldCount(fields: readonly { readonly length: number }[], width: number): number {
  let count = fields.length;
  while (count > width && fields[count - 1]!.length === 0) count -= 1;
  return count;
}

/** The first line that is not blank, and all chunks, including those with this line. */
async function peeked<Field extends string | Uint8Array>(
  chunks: AsyncIterable<Field>,
  limit: number,
): Promise<{ readonly firstLine: string; readonly all: AsyncIterable<Field> }> {
  const rest = chunks[Symbol.asyncIterator]();
  const begun: Field[] = [];
  let text = '';
  while (!/[^\r\n][\r\n]/.test(text) && text.length <= limit) {
    const { value, done } = await rest.next();
    if (done) break;
    begun.push(value);
    text += typeof value === 'string' ? value : Buffer.from(value).toString('latin1');
  }
  async function* all(): AsyncGenerator<Field, void, void> {
    try {
      yield* begun;
      yield* { [Symbol.asyncIterator]: () => rest };
    } finally {
      await rest.return?.();
    }
  }
  return { firstLine: /[^\r\n]+/.exec(text)?.[0] ?? '', all: all() };
}
